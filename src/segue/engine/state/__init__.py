"""A program with what it knows of every profile, and how another program takes that over."""
