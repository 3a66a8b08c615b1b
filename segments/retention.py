"""When old models go."""

from datetime import timedelta

from millpond.kernel.db import load_queries
from millpond.kernel.retention import Ending
from millpond.kernel.settings import Settings

_MODELS = load_queries("segments.models")


def segments_endings(settings: Settings) -> list[Ending]:
    """What goes of segments: models that were fitted long ago and that nothing was scored with."""
    kept = timedelta(days=settings.segment_model_keep_days)
    return [Ending("segment_model", "models of customers", kept, _MODELS["end_models"])]
