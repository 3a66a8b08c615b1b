"""When something counts as measured, whichever language it was said in."""

from datetime import datetime, timedelta

from ingest.nouns import Limits


def effective_time(
    said_at: datetime | None, received_at: datetime, index: int, limits: Limits
) -> tuple[datetime, bool]:
    """When a sample counts as measured, and whether that is our correction of an absent or implausible time.

    `index` is the sample's place in its message.
    """
    if said_at is not None and -limits.clock_past <= said_at - received_at <= limits.clock_future:
        return said_at, False
    # Samples of one message came at one moment; a microsecond apart they stay different readings.
    return received_at + timedelta(microseconds=index), True
