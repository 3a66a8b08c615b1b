"""When events go."""

from datetime import timedelta

from millpond.kernel.db import load_queries
from millpond.kernel.retention import Ending
from millpond.kernel.settings import Settings

_Q = load_queries("events")
_REFUSED = load_queries("events.quarantine")


def events_endings(settings: Settings) -> list[Ending]:
    """What goes of events: those that came long ago, whenever they happened; what could not be taken; and figures."""
    refused = timedelta(days=settings.event_quarantine_keep_days)
    figures = timedelta(days=settings.source_figures_keep_days)
    return [
        Ending("event", "events", timedelta(days=settings.event_keep_days), _Q["end_events"]),
        Ending("source_hour", "figures of sources", figures, _Q["end_source_hours"]),
        Ending("source_refusal", "figures of what sources sent in vain", figures, _Q["end_source_refusals"]),
        Ending("event_quarantine", "calls that were set aside", refused, _REFUSED["end_event_quarantine"]),
        Ending("unknown_event", "names of unknown events", figures, _REFUSED["end_unknown_events"]),
    ]
