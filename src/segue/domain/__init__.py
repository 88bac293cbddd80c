"""The words both ends use: events, times, numbers, changes, errors. Standard library only."""
