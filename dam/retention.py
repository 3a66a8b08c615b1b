"""When what the dam counted goes."""

from datetime import timedelta

from millpond.kernel.db import load_queries
from millpond.kernel.retention import Ending
from millpond.kernel.settings import Settings

_REPORT = load_queries("dam.report")


def dam_endings(settings: Settings) -> list[Ending]:
    """What goes of the dam: the counts of days whose events are gone."""
    return [Ending("dam_day", "days of the dam", timedelta(days=settings.event_keep_days), _REPORT["end_dam_days"])]
