"""A file of events into the database, as if its calls had come by HTTP: the same rows, orders and refusals."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from attribution.hold_nouns import Ceilings
from events.nouns import Source
from events.rows import CHUNK_ROWS, CallRows, read_call_rows
from events.terms import Terms
from events.wire import decode_rows
from millpond.kernel.db import WriteConnection
from offers.taking.take import take_events

_MOST_NAMED = 20
_CEILINGS = Ceilings()


@dataclass(slots=True)
class EventsSummary:
    """What became of a file's rows; `named` are the first that were refused, by number, word and sentence."""

    stored: int = 0
    repeated: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    named: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """How many rows were refused, for all reasons."""
        return self.reasons.total()

    def refuse(self, number: int, reason: str, detail: str) -> None:
        """Count a refused row."""
        self.reasons[reason] += 1
        if len(self.named) < _MOST_NAMED:
            self.named.append((number, reason, detail))


def import_events(
    conn: WriteConnection,
    path: Path,
    source: Source,
    terms: Terms,
    *,
    at: datetime,
    chunk_rows: int = CHUNK_ROWS,
    ceilings: Ceilings = _CEILINGS,
    on_progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> EventsSummary:
    """Take the calls in a file, one transaction a chunk; a second run finds that all came before.

    A call is known by its message id, and without one by what its row says. `on_progress` is called after each chunk
    with how much of the file is done. Raises what `events.rows.read_call_rows` raises.
    """
    summary = EventsSummary()
    for chunk in read_call_rows(path, chunk_rows):
        with conn.transaction():
            _take(conn, chunk, source, terms, at, ceilings, summary)
        on_progress(chunk.done, chunk.of)
    return summary


def _take(
    conn: WriteConnection,
    chunk: CallRows,
    source: Source,
    terms: Terms,
    at: datetime,
    ceilings: Ceilings,
    summary: EventsSummary,
) -> None:
    calls = decode_rows(list(chunk.numbers), received_at=at)
    taken = take_events(conn, source, calls, terms, at=at, ceilings=ceilings)
    summary.stored += len(taken.stored.new)
    summary.repeated += taken.stored.repeated
    for number, sentence in chunk.unread:
        summary.refuse(number, "malformed", sentence)
    for refused in taken.refused:
        summary.refuse(chunk.numbers[refused.raw], refused.reason, refused.detail)
