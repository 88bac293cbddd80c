"""Holds events to the tracking plan: plainly for one that breaks it, fast for those that do not."""
