"""What owns a loop: the server."""
