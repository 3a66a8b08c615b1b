"""Rows that have an end: deleted some at a time, so that nobody waits long for a lock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import LiteralString

from millpond.kernel.db import WriteConnection, load_queries
from millpond.kernel.jobs import Claim, held
from millpond.kernel.settings import Settings

_Q = load_queries("millpond.kernel")
MOST_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Ending:
    """What a table loses once it is older than `kept`; `what` names it in words. Zero days: it loses nothing.

    The statement takes `at` (the moment of the run), `before` (`at` less `kept`), `most` (rows at once, null for all)
    and `deleting`, and what `more` has. It answers with one number: the rows that it deleted, or, when not deleting,
    those that are due.
    """

    table: str
    what: str
    kept: timedelta
    statement: LiteralString
    more: Mapping[str, int] = field(default_factory=dict)


def kernel_endings(settings: Settings) -> list[Ending]:
    """What goes of the runs of jobs and of the answers kept for repeated requests."""
    return [
        Ending(
            "idempotency_key",
            "answers kept for repeated requests",
            timedelta(days=settings.idempotency_key_keep_days),
            _Q["end_idempotency_keys"],
        ),
        Ending("job_run", "runs of jobs", timedelta(days=settings.job_run_keep_days), _Q["end_job_runs"]),
    ]


def end_old_rows(
    conn: WriteConnection, ending: Ending, at: datetime, *, claim: Claim | None = None, most: int = MOST_AT_ONCE
) -> int:
    """Delete what is due, `most` rows a transaction, in which the lease of `claim` is held; returns how many went.

    Raises LeaseLost when another scheduler took the period over; what was deleted until then stays deleted.
    """
    total = 0
    while ended := _end_some(conn, ending, at, claim, most):
        total += ended
    return total


def count_old_rows(conn: WriteConnection, ending: Ending, at: datetime) -> int:
    """How many rows are due; nothing is deleted."""
    return _execute(conn, ending, at, most=None, deleting=False)


def _end_some(conn: WriteConnection, ending: Ending, at: datetime, claim: Claim | None, most: int) -> int:
    with held(conn, claim):
        return _execute(conn, ending, at, most=most, deleting=True)


def _execute(conn: WriteConnection, ending: Ending, at: datetime, *, most: int | None, deleting: bool) -> int:
    if not ending.kept:
        return 0
    values = {"at": at, "before": at - ending.kept, "most": most, "deleting": deleting, **ending.more}
    # Unprepared, so that each is planned for its own moment: with a general plan the server guesses how much is old.
    row = conn.execute(ending.statement, values, prepare=False).fetchone()
    assert row is not None
    return int(row[0])
