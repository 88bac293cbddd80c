"""Events read as bytes, many at once and compiled; what is not in the ordinary spelling is left to others."""
