"""Which track events were seen, held against those planned; and a plan made of what was seen."""
