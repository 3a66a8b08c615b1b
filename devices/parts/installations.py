"""Use case: end the installations whose part was replaced, begin the next, and undo what was no replacement."""

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row

from devices.nouns import CurrentPart, ModelPart
from devices.parts.limit_series import select_series
from devices.parts.replacement import SETTLING, PartHistory, Refutation, Replacement, read_history
from devices.store import select_model_parts
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.ids import DeviceId
from millpond.kernel.jobs import Claim, held

_Q = load_queries("devices.parts")
_LOG = logging.getLogger(__name__)
_CHUNK = 500
REVIEW = timedelta(days=30)
"""A replacement is looked at again for so long: what was read before may come back, or another limit contradict it."""


@dataclass(frozen=True, slots=True)
class _Change:
    """What is to become of a part: first its last replacement undone, then others found."""

    current: CurrentPart
    undone: Refutation | None
    replacements: list[Replacement]


def update_installations(
    conn: WriteConnection, at: datetime, *, claim: Claim | None = None, of_devices: Collection[DeviceId] | None = None
) -> int:
    """End and begin installations by the readings measured up to `at`; how many replacements were found.

    Those of some devices, or of all.

    A replacement of the last `REVIEW` that turned out to be none is undone. One transaction a chunk of installations;
    running it again changes nothing. Readings from before the current installation began, or from before the one that
    it followed while that is looked at again, are left alone, however late they come.
    """
    parts = select_model_parts(conn)
    found, after = 0, 0
    while chunk := select_current_parts(conn, after=after, limit=_CHUNK, at=at, of_devices=of_devices):
        changes = list(_find_in_chunk(conn, chunk, parts, at))
        with held(conn, claim):
            for change in changes:
                _apply(conn, change, at)
        found += sum(len(change.replacements) for change in changes)
        after = chunk[-1].installation_id
    return found


def select_current_parts(
    conn: ReadConnection, *, after: int, limit: int, at: datetime, of_devices: Collection[DeviceId] | None = None
) -> list[CurrentPart]:
    """Up to `limit` installations that began up to `at`, are not ended, and have a key above `after`.

    Those of some devices, or of all.
    """
    some = None if of_devices is None else list(of_devices)
    values = {"after": after, "limit": limit, "at": at, "review_from": at - REVIEW, "of_devices": some}
    with conn.cursor(row_factory=class_row(CurrentPart)) as cursor:
        return cursor.execute(_Q["select_current_parts"], values).fetchall()


def _apply(conn: WriteConnection, change: _Change, at: datetime) -> None:
    if change.undone is not None:
        _undo(conn, change.current, change.undone, at)
    for replacement in change.replacements:
        _replace(conn, change.current, replacement)


def _undo(conn: WriteConnection, current: CurrentPart, why: Refutation, at: datetime) -> None:
    """The part that seemed to be put in never was; the one before it is still there."""
    values = {"installation_id": current.installation_id, "why": why, "at": at}
    conn.execute(_Q["undo_installation"], values)
    conn.execute(_Q["restore_installation"], {"installation_id": current.previous_id})
    extra = {"event": "replacement_undone", "installation_id": current.installation_id, "why": why}
    _LOG.info("A replacement turned out to be none and was undone.", extra=extra)


def _replace(conn: WriteConnection, current: CurrentPart, replacement: Replacement) -> None:
    values = {
        "device_id": current.device_id,
        "part": current.part,
        "at": replacement.at,
        "ended_by": replacement.ended_by,
    }
    conn.execute(_Q["end_installation"], values)
    conn.execute(_Q["begin_installation"], values)


def _find_in_chunk(
    conn: ReadConnection, chunk: list[CurrentPart], parts: dict[str, dict[str, ModelPart]], at: datetime
) -> Iterator[_Change]:
    series = select_series(conn, chunk, parts, at)
    for current in chunk:
        part = parts.get(current.model, {}).get(current.part)
        if part is None:
            continue
        told = [(limit, series.get((current.installation_id, limit.metric_id), [])) for limit in part.limits]
        settled_from = current.read_from if current.settled else None
        try:
            history = read_history(told, settled_from=settled_from, prior_life_days=part.prior_life_days)
        except (ArithmeticError, ValueError):
            _LOG.exception("A part's series could not be read.", extra={"event": "replacement_failed", "part": current})
            continue
        yield _judge(current, history)


def _judge(current: CurrentPart, history: PartHistory) -> _Change:
    """Whether the installation's own beginning still stands, and what came after it."""
    if current.previous_id is None:
        return _Change(current, None, history.replacements)
    began = current.installed_at
    if not any(abs(replacement.at - began) <= SETTLING for replacement in history.replacements):
        for refuted in history.refuted:
            if abs(refuted.at - began) <= SETTLING:
                return _Change(current, refuted.why, history.replacements)
    return _Change(current, None, [r for r in history.replacements if r.at > began + SETTLING])
