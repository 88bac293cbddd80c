"""HTTP: events in, segments out, and every refusal as a problem document."""
