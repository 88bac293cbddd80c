"""What the engine's answers rest on: one person's membership explained, everyone's proved."""
