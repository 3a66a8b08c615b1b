"""`millpond demo`: the whole loop on this machine, on real parts."""

from millpond.demo.run import DemoOptions, run_demo

__all__ = ["DemoOptions", "run_demo"]
