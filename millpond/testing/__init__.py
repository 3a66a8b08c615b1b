"""What a test suite works with; the fixtures of `millpond.pytest_plugin` hand it out.

For type hints: `from millpond.testing import Customer, Device, Fleet, Millpond, SimulatedDevice, Staff`.

Nothing here imports the platform. It runs in a process of its own, so that your project may have packages that are
called `devices` or `api`.
"""

from millpond.testing.channel import PlatformError
from millpond.testing.client import ApiError, Client, Customer, Staff
from millpond.testing.fleet import Device, Fleet, SimulatedDevice
from millpond.testing.offers import Offers
from millpond.testing.platform import Millpond
from millpond.testing.rows import Outcomes, PartLife, Quarantined, Reading

__all__ = [
    "ApiError",
    "Client",
    "Customer",
    "Device",
    "Fleet",
    "Millpond",
    "Offers",
    "Outcomes",
    "PartLife",
    "PlatformError",
    "Quarantined",
    "Reading",
    "SimulatedDevice",
    "Staff",
]
