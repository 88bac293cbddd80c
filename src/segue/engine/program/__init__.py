"""What a workspace's definitions come to: streams, features, atoms and decisions, laid out for the kernel."""
