"""Segue: real-time segments that are right at every moment."""

__version__ = "0.1.0"
