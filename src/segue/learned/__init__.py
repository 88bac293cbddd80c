"""What is learned from the log: models, what they are trained on, and whether they are worth it."""
