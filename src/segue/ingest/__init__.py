"""From what senders send to batches the log can keep: decode, validate, dedupe, identify; and files."""
