"""Whether devices are there: connected, and apart from that speaking as often as they usually do."""
