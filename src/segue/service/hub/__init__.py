"""From stored changes to whoever listens: each change once, in order, at the cost of its listeners alone."""
