"""Times as devices say them: epoch milliseconds, or RFC 3339 as it is written there."""

import math
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from devices.wire import quote

_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))?"
)
_NEITHER = "is neither epoch milliseconds nor RFC 3339"


def parse_ts(ts: Any) -> datetime | None:
    """A sample's `ts` as UTC; None when it is absent or beyond any calendar. Raises ValueError when it is not a time.

    A time without an offset is an error: nobody can know which hour it meant.
    """
    if ts is None:
        return None
    if isinstance(ts, int | float) and not isinstance(ts, bool):
        return _from_epoch_ms(ts)
    match = _RFC3339.fullmatch(ts) if isinstance(ts, str) else None
    if match is None:
        raise ValueError(f"ts {quote(ts)} {_NEITHER}")
    if match[0][-1] not in "Zz" and match[8] is None:
        raise ValueError(f"ts {quote(ts)} has no offset from UTC")
    return _from_rfc3339(match)


def _from_epoch_ms(ts: float) -> datetime | None:
    if isinstance(ts, float) and not math.isfinite(ts):
        raise ValueError(f"ts {ts} is not a time")
    try:
        return datetime.fromtimestamp(ts / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _from_rfc3339(match: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    # A leap second is the first one of the next day.
    leap = second == 60
    try:
        zone = _offset(match[8], match[9], match[10])
        moment = datetime(max(year, 1), month, day, hour, minute, 59 if leap else second, tzinfo=zone)
    except ValueError:
        raise ValueError(f"ts {quote(match[0])} {_NEITHER}") from None
    fraction = timedelta(seconds=leap, microseconds=int((match[7] or "")[:6].ljust(6, "0")))
    try:
        utc = moment.astimezone(UTC) + fraction
    except OverflowError:
        return None
    if leap and (utc.hour, utc.minute, utc.second) != (0, 0, 0):
        raise ValueError(f"ts {quote(match[0])} {_NEITHER}")
    return None if year == 0 else utc


def _offset(sign: str | None, hours: str, minutes: str) -> timezone:
    if sign is None:
        return UTC
    if int(hours) > 23 or int(minutes) > 59:
        raise ValueError("no such offset")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset)
