"""Sources of events, as operators are told."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from api.models import Out
from events.figures import SourceFigures, select_source_figures
from events.sources import Key, select_source_keys, select_sources
from millpond.kernel.db import ReadConnection

FIGURES_OF = timedelta(days=1)


class SourceKeyOut(Out):
    """A key of a source, known by its last characters; `ended_at` is null while it is good."""

    key_id: int
    hint: str
    valid_from: datetime
    ended_at: datetime | None


class NewSourceKeyOut(Out):
    """A write key, told once."""

    told_once: ClassVar = ("write_key",)

    source_id: int
    key_id: int
    write_key: str | None


class EndedSourceKeyOut(Out):
    """A key that is nobody's from now on."""

    source_id: int
    key_id: int
    ended_at: datetime


class NewSourceOut(Out):
    """A source, and its first write key, told once."""

    told_once: ClassVar = ("write_key",)

    source_id: int
    name: str
    kind: str
    scopes: list[str]
    origins: list[str]
    key_id: int
    write_key: str | None


class SourceFiguresOut(Out):
    """What came in the last 24 hours: taken, sent again, set aside by reason; and how late, at most, in seconds."""

    taken: int
    repeated: int
    refused: dict[str, int]
    latest_at: datetime | None
    late_p50_s: int | None
    late_p95_s: int | None


class SourceOut(Out):
    """Who sends events, with its keys, and what came from it."""

    source_id: int
    name: str
    kind: str
    scopes: list[str]
    origins: list[str]
    created_at: datetime
    keys: list[SourceKeyOut]
    last_24_h: SourceFiguresOut


class SourcesOut(Out):
    """All sources, the oldest first."""

    items: list[SourceOut]


def show_sources(conn: ReadConnection, at: datetime) -> list[SourceOut]:
    """All sources as of `at`."""
    keys = select_source_keys(conn)
    figures = {each.source_id: each for each in select_source_figures(conn, since=at - FIGURES_OF)}
    return [
        SourceOut(
            source_id=source.source_id,
            name=source.name,
            kind=source.kind,
            scopes=sorted(source.scopes),
            origins=list(source.origins),
            created_at=source.created_at,
            keys=_show_keys([key for key in keys if key.source_id == source.source_id]),
            last_24_h=_show_figures(figures[source.source_id]),
        )
        for source in select_sources(conn)
    ]


def _show_keys(keys: Sequence[Key]) -> list[SourceKeyOut]:
    return [SourceKeyOut.model_validate(key) for key in keys]


def _show_figures(figures: SourceFigures) -> SourceFiguresOut:
    return SourceFiguresOut.model_validate(figures)
