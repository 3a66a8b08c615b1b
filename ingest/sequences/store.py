"""One function, one statement: the numbers that each boot sent, and what is missing between them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from psycopg.rows import class_row, kwargs_row

from ingest.nouns import Complete, Gap
from ingest.plain import BootKey
from ingest.sequences.plain import Runs
from ingest.sequences.ranges import BootSeqs, format_ranges, format_seqs
from millpond.kernel.arrays import bigints
from millpond.kernel.db import WriteConnection, load_queries

_Q = load_queries("ingest.sequences")
PATIENCE = timedelta(seconds=3)
_OF_A_BOOT = 20


@dataclass(frozen=True, slots=True)
class Added:
    """Up to where each boot of a batch is complete (those that have their beginning), and those with too many gaps."""

    complete: list[Complete]
    overflowing: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _AddedTo:
    """A boot that a batch brought numbers of."""

    serial: str
    boot: str
    complete_to: Decimal | None
    overflows: bool


@dataclass(frozen=True, slots=True)
class GivenUp:
    """How many numbers of a boot are waited for no longer, and up to where it is complete now, if it is."""

    serial: str
    boot: str
    numbers: int
    complete: Complete | None


@dataclass(frozen=True, slots=True)
class GapCount:
    """Gaps that are watched, the devices they are of, and boots that have more gaps than are kept of one."""

    gaps: int
    devices: int
    overflowing: int


def upsert_sequences(
    conn: WriteConnection, boots: Mapping[tuple[str, str], BootSeqs], at: datetime, ranges_max: int
) -> Added:
    """Add sequence numbers. Of a boot with more than `ranges_max` ranges the last ones are left out."""
    values = {
        "serials": [serial for serial, _ in boots],
        "boots": [boot for _, boot in boots],
        "received": [format_seqs(seqs.received) for seqs in boots.values()],
        "read": [format_seqs(seqs.read) for seqs in boots.values()],
        "gone": [format_ranges(seqs.gone) for seqs in boots.values()],
        "most": ranges_max,
        "at": at,
    }
    with conn.cursor(row_factory=class_row(_AddedTo)) as cursor:
        boots_now = cursor.execute(_Q["upsert_sequences"], values).fetchall()
    complete = [one for boot in boots_now if (one := _complete(boot.serial, boot.boot, boot.complete_to))]
    return Added(complete, [(boot.serial, boot.boot) for boot in boots_now if boot.overflows])


def extend_sequences(conn: WriteConnection, runs: Runs, at: datetime) -> tuple[list[Complete], list[BootKey]]:
    """Add runs to boots that go on without a hole, or begin: who is complete, and who lacks the beginning.

    Boots that are in neither are left as they were: they take `upsert_sequences`.
    """
    values = {
        "serials": [serial for serial, _ in runs.boots],
        "boots": [boot for _, boot in runs.boots],
        "from_seqs": bigints(runs.from_seqs),
        "to_seqs": bigints(runs.to_seqs),
        "at": at,
    }
    complete, without_beginning = [], []
    for serial, boot, has_beginning, highest in conn.execute(_Q["extend_sequences"], values).fetchall():
        if has_beginning:
            complete.append(Complete(serial, boot, highest))
        else:
            without_beginning.append((serial, boot))
    return complete, without_beginning


def watch_gaps(conn: WriteConnection, boots: Iterable[tuple[str, str]]) -> None:
    """Bring the watch over these boots' gaps up to date with their numbers."""
    serials, names = zip(*boots, strict=True)
    values = {"serials": list(serials), "boots": list(names), "most": _OF_A_BOOT, "patience": PATIENCE}
    conn.execute(_Q["watch_gaps"], values)


def ask_gaps(conn: WriteConnection, *, of_device: int, limit: int, longest: timedelta) -> list[Gap]:
    """The gaps to ask for now, at most so many of a device and in all; they are due again after a longer while."""
    values = {"of_device": of_device, "limit": limit, "patience": PATIENCE, "longest": longest}
    with conn.cursor(row_factory=kwargs_row(_gap)) as cursor:
        return cursor.execute(_Q["ask_gaps"], values).fetchall()


def note_unreadable(conn: WriteConnection, boots: Collection[tuple[str, str | None]]) -> None:
    """What came of these boots (None: of any of its serial's) has numbers that cannot be read: it may be the answer to
    what their devices were asked."""
    values = {"serials": [serial for serial, _ in boots], "boots": [boot for _, boot in boots]}
    conn.execute(_Q["note_unreadable"], values)


def give_up_gaps(conn: WriteConnection, times: int) -> list[GivenUp]:
    """Wait no longer for gaps that were answered `times` times by what cannot be read."""
    with conn.cursor(row_factory=kwargs_row(_given_up)) as cursor:
        return cursor.execute(_Q["give_up_gaps"], {"times": times}).fetchall()


def count_gaps(conn: WriteConnection, consumer: str, given_up: int) -> GapCount | None:
    """Count what is watched into the consumer's heartbeat, and the numbers given up; None before its first beat."""
    with conn.cursor(row_factory=class_row(GapCount)) as cursor:
        return cursor.execute(_Q["count_gaps"], {"consumer": consumer, "given_up": given_up}).fetchone()


def _gap(*, serial: str, boot: str, from_seq: Decimal, to_seq: Decimal) -> Gap:
    return Gap(serial, boot, int(from_seq), int(to_seq))


def _given_up(*, serial: str, boot: str, numbers: Decimal, complete_to: Decimal | None) -> GivenUp:
    return GivenUp(serial, boot, int(numbers), _complete(serial, boot, complete_to))


def _complete(serial: str, boot: str, complete_to: Decimal | None) -> Complete | None:
    return None if complete_to is None else Complete(serial, boot, int(complete_to))
