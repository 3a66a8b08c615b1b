"""How urgent a part is: one word and one colour, the same on every page."""

from enum import StrEnum

# So far above its threshold a part counts as running low, in points of percent.
_SOON_PCT = 15
# What a page shows as 0 %.
_NOTHING_PCT = 0.5


class Urgency(StrEnum):
    """The name of the colour in the style sheet, and of the word in the catalogues (`level_due`)."""

    USED_UP = "used_up"
    DUE = "due"
    SOON = "soon"
    GOOD = "good"


def urgency_of(remaining_pct: float | None, threshold_pct: float) -> Urgency | None:
    """How urgent a part is of which `remaining_pct` is left; None when nobody knows."""
    if remaining_pct is None:
        return None
    if remaining_pct < _NOTHING_PCT:
        return Urgency.USED_UP
    if remaining_pct <= threshold_pct:
        return Urgency.DUE
    return Urgency.SOON if remaining_pct <= threshold_pct + _SOON_PCT else Urgency.GOOD
