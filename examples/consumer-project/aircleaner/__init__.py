"""An air cleaner's firmware."""

from aircleaner.device import AirCleaner

__all__ = ["AirCleaner"]
