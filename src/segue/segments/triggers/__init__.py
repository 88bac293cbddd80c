"""Triggers: what they say, how they are read, and what they are held against."""
