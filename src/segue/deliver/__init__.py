"""What goes out by itself when memberships change."""
