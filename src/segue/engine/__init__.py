"""Batches of events in, membership changes out: columns, kernel, agenda, snapshot."""
