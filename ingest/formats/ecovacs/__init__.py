"""Ecovacs' vacuums."""
