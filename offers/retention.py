"""When decisions go that made no offer; offers, their steps and their decisions stay."""

from datetime import timedelta

from millpond.kernel.db import load_queries
from millpond.kernel.retention import Ending
from millpond.kernel.settings import Settings

_Q = load_queries("offers")


def offers_endings(settings: Settings) -> list[Ending]:
    """What goes of decisions. The last one about a thing stays, so that "why no offer?" has an answer."""
    kept = timedelta(days=settings.decision_keep_days)
    return [Ending("decision", "decisions that made no offer", kept, _Q["end_decisions"])]
