"""Recommendations: a catalogue of items, what people did with them, and which to show next."""
