"""The durable record of what was received: events, identity, other records, changes, quarantine."""
