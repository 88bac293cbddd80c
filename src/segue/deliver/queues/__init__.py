"""From the outbox to destinations: one queue and one thread for each, so that none waits for another."""
