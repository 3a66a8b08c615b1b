"""Tuya's data points."""
