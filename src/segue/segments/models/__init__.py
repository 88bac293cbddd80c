"""Models as a workspace says them: read, filled in, held against the rest."""
