"""Speed and size, measured: ratios in one run, the best of several, recorded in ``baseline.json``."""
