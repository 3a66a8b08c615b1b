"""Dyson's purifiers, fans and vacuums."""
