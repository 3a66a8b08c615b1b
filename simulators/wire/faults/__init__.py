"""Faults that fleets have, at stated rates, seeded, so that a run can be repeated; each strike is counted.

`on_wire` strikes messages, `in_device` strikes clocks, counters, parts, firmware and the power supply.
"""

from simulators.wire.faults.in_device import DeviceFaults
from simulators.wire.faults.on_wire import FaultInjector
from simulators.wire.faults.rates import Faults, parse_faults

__all__ = ["DeviceFaults", "FaultInjector", "Faults", "parse_faults"]
