"""The catalogue: items, their versions, and the files they come from."""
