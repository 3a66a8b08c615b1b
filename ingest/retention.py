"""When what ingest keeps besides readings goes."""

from datetime import timedelta

from millpond.kernel.db import load_queries
from millpond.kernel.retention import Ending
from millpond.kernel.settings import Settings

_Q = load_queries("ingest")
_A_DAY = timedelta(days=1)


def ingest_endings(settings: Settings) -> list[Ending]:
    """What goes of all that ingest keeps besides readings, in this order.

    A quarantined item goes before its message, which nothing refers to then. What the database refused may have been
    good, and was acknowledged: it stays longer than what was found to be at fault. A boot is known for at least as long
    as a device's own time is taken for true: while its numbers are known, none of its samples is stored twice.
    """
    quarantined = timedelta(days=settings.quarantine_keep_days)
    lobby = timedelta(days=settings.lobby_keep_days)
    boots = timedelta(days=settings.boot_keep_days and max(settings.boot_keep_days, settings.clock_past_days))
    corrected = timedelta(days=settings.corrected_time_keep_days)
    return [
        Ending("quarantine", "quarantined items", quarantined, _Q["end_quarantine"]),
        Ending("quarantine", "refused messages", timedelta(days=settings.refused_keep_days), _Q["end_refused"]),
        Ending("quarantine", "messages of unknown devices", lobby, _Q["end_waiting"]),
        Ending("lobby", "unknown devices", lobby, _Q["end_lobby"]),
        Ending("quarantined_message", "quarantined messages", quarantined, _Q["end_quarantined_messages"]),
        Ending("reading_conflict", "conflicts", timedelta(days=settings.conflict_keep_days), _Q["end_conflicts"]),
        Ending("effective_time", "corrected times", corrected, _Q["end_effective_times"]),
        Ending("sequence", "silent boots", boots, _Q["end_boots"]),
        Ending("sequence", "boots too many", _A_DAY, _Q["end_crowded_boots"], {"boots_max": settings.device_boots_max}),
        Ending("ingest_minute", "minutes made days", timedelta(days=settings.minute_keep_days), _Q["fold_minutes"]),
        Ending("ingest_drop", "days of dropped messages", timedelta(days=settings.minute_keep_days), _Q["end_drops"]),
        Ending(
            "format_description", "descriptions", timedelta(days=settings.description_keep_days), _Q["end_descriptions"]
        ),
        Ending(
            "untimed_message",
            "messages without number or time",
            timedelta(days=settings.heartbeat_keep_days),
            _Q["end_untimed_messages"],
        ),
        Ending("ingest_consumer", "silent ingests", timedelta(days=settings.heartbeat_keep_days), _Q["end_heartbeats"]),
    ]
