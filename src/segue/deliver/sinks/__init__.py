"""Where messages go: one file for each kind of destination, all behind one contract."""
