"""The data-quality report: what became of all that came in, what is odd about it, and that none is lost."""
