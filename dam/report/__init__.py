"""The dam's own report: how much of what comes in is tied to a known customer, its faults, and where it leaks."""
