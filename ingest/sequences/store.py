"""One function, one statement: the numbers that each boot sent, and what is missing between them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.nouns import Complete, Gap
from ingest.sequences.ranges import BootSeqs, format_ranges, format_seqs
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
    rows = conn.execute(_Q["upsert_sequences"], values).fetchall()
    complete = [Complete(row[0], row[1], int(row[2])) for row in rows if row[2] is not None]
    return Added(complete, [(row[0], row[1]) for row in rows if row[3]])


def watch_gaps(conn: WriteConnection, boots: Iterable[tuple[str, str]]) -> None:
    """Bring the watch over these boots' gaps up to date with their numbers."""
    serials, names = zip(*boots, strict=True)
    values = {"serials": list(serials), "boots": list(names), "most": _OF_A_BOOT, "patience": PATIENCE}
    conn.execute(_Q["watch_gaps"], values)


def ask_gaps(conn: WriteConnection, *, of_device: int, limit: int, longest: timedelta) -> list[Gap]:
    """The gaps to ask for now, at most so many of a device and in all; they are due again after a longer while."""
    values = {"of_device": of_device, "limit": limit, "patience": PATIENCE, "longest": longest}
    rows = conn.execute(_Q["ask_gaps"], values)
    return [Gap(row[0], row[1], int(row[2]), int(row[3])) for row in rows]


def note_unreadable(conn: WriteConnection, boots: Collection[tuple[str, str | None]]) -> None:
    """What came of these boots (None: of any of its serial's) has numbers that cannot be read: it may be the answer to
    what their devices were asked."""
    values = {"serials": [serial for serial, _ in boots], "boots": [boot for _, boot in boots]}
    conn.execute(_Q["note_unreadable"], values)


def give_up_gaps(conn: WriteConnection, times: int) -> list[GivenUp]:
    """Wait no longer for gaps that were answered `times` times by what cannot be read."""
    rows = conn.execute(_Q["give_up_gaps"], {"times": times})
    return [
        GivenUp(row[0], row[1], int(row[2]), None if row[3] is None else Complete(row[0], row[1], int(row[3])))
        for row in rows
    ]


def count_gaps(conn: WriteConnection, consumer: str, given_up: int) -> GapCount | None:
    """Count what is watched into the consumer's heartbeat, and the numbers given up; None before its first beat."""
    row = conn.execute(_Q["count_gaps"], {"consumer": consumer, "given_up": given_up}).fetchone()
    return None if row is None else GapCount(*row)
