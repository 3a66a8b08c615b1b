"""In which order the offers that passed every rule come, and by which policy that was said."""

# The name and version of what ranks; it changes with every change of the order that it gives.
POLICY = "rules-1"
# These rules leave nothing to chance: what they put on a slate is on it each time.
PROPENSITY = 1.0
_HALF_DAYS = 30


def urgency(days_left: float) -> float:
    """From 0 to 1, the higher the fewer days are left; a half where none is."""
    return float(1 / (1 + 2 ** (min(days_left, 10_000) / _HALF_DAYS)))
