"""Models at work: trained, compared, scoring everybody, and watched."""
