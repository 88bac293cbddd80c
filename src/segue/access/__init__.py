"""Who may come in: keys for senders and readers, tokens for users, and how often each may ask."""
