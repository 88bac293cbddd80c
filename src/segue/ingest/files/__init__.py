"""Files as a source of events: JSON lines, CSV, Parquet."""
