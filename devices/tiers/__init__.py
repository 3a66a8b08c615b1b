"""The tiers of what was measured: readings, hours and days; partitions, rollups, late data."""
