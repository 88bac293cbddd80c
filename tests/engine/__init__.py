"""The fast engine against the plain truth."""
