"""Which triggers fire, for whom and when: read off what the engine makes, and stored with it."""
