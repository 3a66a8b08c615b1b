"""Roborock's vacuums."""
