"""What is doubtful about a device, in words for the operator's page."""

from api.reads.fleet import DeviceInDoubt

_UNITS = ((365 * 86_400, "year"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def doubt_words(doubt: DeviceInDoubt) -> str:
    """One doubt as a sentence without its end."""
    match doubt.doubt:
        case "clock":
            return f"{clock_words(doubt.offset_s)}; {_count(doubt.amount, 'sample')} with a time of ours"
        case "gaps":
            more = "more gaps than are kept, its newest samples are not acknowledged"
            return f"{more}: {_count(doubt.amount, 'boot')}"
        case kind:
            names = " and ".join(doubt.names or ())
            return f"two units under one serial: {kind}s {names} take turns, {_count(doubt.amount, 'return')}"


def clock_words(offset_s: float | None) -> str:
    """How far a clock is ahead of ours, by its largest unit."""
    if offset_s is None:
        return "it says no time"
    size, unit = next((one for one in _UNITS if abs(offset_s) >= one[0]), _UNITS[-1])
    return f"its clock is {_count(round(abs(offset_s) / size), unit)} {'ahead' if offset_s > 0 else 'behind'}"


def _count(amount: int, what: str) -> str:
    return f"{amount:,} {what}" if amount == 1 else f"{amount:,} {what}s"
