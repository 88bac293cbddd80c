"""Experiences: slots, variants and their audiences, as the workspace's files say them."""
