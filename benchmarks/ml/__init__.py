"""Learning on public data: what Segue learns, against published tables and measured bars."""
