"""When old models go, and what was in which segment."""

from datetime import timedelta

from millpond.kernel.db import load_queries
from millpond.kernel.retention import Ending
from millpond.kernel.settings import Settings

_Q = load_queries("segments")
_MODELS = load_queries("segments.models")


def segments_endings(settings: Settings) -> list[Ending]:
    """What goes of segments: models that nothing was scored with, and the history of members long ago."""
    history = timedelta(days=settings.segment_history_keep_days)
    kept = timedelta(days=settings.segment_model_keep_days)
    return [
        Ending("segment_model", "models of customers", kept, _MODELS["end_models"]),
        Ending("segment_member", "memberships of segments that ended", history, _Q["end_members"]),
        Ending("segment_size", "sizes of segments", history, _Q["end_sizes"]),
        Ending("segment_refresh", "refreshes of segments", history, _Q["end_refreshes"]),
    ]
