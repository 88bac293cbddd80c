"""Changes as they happen, over WebSocket or as server-sent events: one path, two ways of writing."""
