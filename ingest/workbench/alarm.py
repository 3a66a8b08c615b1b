"""Is more refused than an operator wants to sleep through? One rule for the doctor, the metrics and the page."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.workbench.store import select_refused_lately
from millpond.kernel.db import ReadConnection

_LATELY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RefusalRate:
    """How many items were refused in the last hour, and from how many on somebody should look; 0 is never."""

    items: int
    alarm_at: int

    @property
    def is_alarming(self) -> bool:
        """Whether somebody should look."""
        return 0 < self.alarm_at <= self.items

    @property
    def sentence(self) -> str:
        """What it is, in words."""
        return f"{self.items:,} items were refused in the last hour"


def check_rate(conn: ReadConnection, alarm_at: int, at: datetime) -> RefusalRate:
    """How much was refused in the hour before `at`."""
    return RefusalRate(select_refused_lately(conn, at - _LATELY), alarm_at)
