"""Fleets that run: many devices, at a pace, for a time."""
