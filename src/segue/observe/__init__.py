"""What the server tells of itself, for Prometheus to collect."""
