"""Destinations: what one is, how its file is read, and what is held against the rest of the workspace."""
