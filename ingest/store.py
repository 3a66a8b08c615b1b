"""One function, one statement: what ingest keeps besides readings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from devices.nouns import Reading
from ingest.allowance import Drop
from ingest.nouns import Decoded
from ingest.sequence import BootSeqs, format_ranges, format_seqs
from ingest.tally import Tally
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries

_Q = load_queries("ingest")


@dataclass(frozen=True, slots=True)
class Complete:
    """Every sequence number of a boot up to and including `seq` is safe."""

    serial: str
    boot: str
    seq: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Sequence numbers of a boot, both ends included, that never came."""

    serial: str
    boot: str
    from_seq: int
    to_seq: int


def insert_conflicts(conn: WriteConnection, readings: Sequence[Reading]) -> int:
    """Keep readings that disagree with a stored one; returns how many were not kept already."""
    values = {
        "device_ids": [r.device_id for r in readings],
        "metric_ids": [r.metric_id for r in readings],
        "measured_ats": [r.measured_at for r in readings],
        "values": [r.value for r in readings],
        "states": [r.state for r in readings],
        "received_ats": [r.received_at for r in readings],
    }
    return conn.execute(_Q["insert_conflicts"], values).rowcount


def upsert_sequences(conn: WriteConnection, boots: Mapping[tuple[str, str], BootSeqs], at: datetime) -> list[Complete]:
    """Add sequence numbers; returns up to where each touched boot is complete (those that have their beginning)."""
    values = {
        "serials": [serial for serial, _ in boots],
        "boots": [boot for _, boot in boots],
        "received": [format_seqs(seqs.received) for seqs in boots.values()],
        "read": [format_seqs(seqs.read) for seqs in boots.values()],
        "given_up": [format_ranges(seqs.gone) for seqs in boots.values()],
        "at": at,
    }
    rows = conn.execute(_Q["upsert_sequences"], values)
    return [Complete(row[0], row[1], int(row[2])) for row in rows if row[2] is not None]


def add_to_minute(
    conn: WriteConnection, consumer: str, tally: Tally, messages: int, at: datetime, *, dropped: int = 0
) -> None:
    """Count a batch's outcomes in the minute of `at`, and its messages: those that were taken, and those dropped."""
    values = {
        "consumer": consumer,
        "at": at,
        "messages": messages,
        "received": tally.received,
        "stored": tally.stored,
        "duplicate": tally.duplicate,
        "conflict": tally.conflict,
        "quarantined": tally.quarantined,
        "dropped": dropped,
    }
    conn.execute(_Q["add_to_minute"], values)


def add_drops(conn: WriteConnection, drops: Sequence[Drop], at: datetime) -> None:
    """Count dropped messages by device, day and allowance; in key order, so that two writers never deadlock."""
    by_key: dict[tuple[str, str], list[Decoded]] = {}
    for drop in drops:
        by_key.setdefault((drop.serial, drop.allowance.value), []).append(drop.decoded)
    keys = sorted(by_key)
    groups = [by_key[key] for key in keys]
    values = {
        "serials": [serial for serial, _ in keys],
        "allowances": [allowance for _, allowance in keys],
        "messages": [len(group) for group in groups],
        "items": [sum(decoded.items for decoded in group) for group in groups],
        "bytes": [sum(len(decoded.delivery.payload) for decoded in group) for group in groups],
        "at": at,
    }
    conn.execute(_Q["add_drops"], values)


def beat(
    conn: WriteConnection,
    consumer: str,
    *,
    epoch: int,
    connected: bool,
    in_flight: int,
    lag_s: float,
    trouble: str | None = None,
) -> None:
    """Say that this ingest is alive, how long the oldest message it holds has waited, and what is in its way."""
    values = {
        "consumer": consumer,
        "epoch": epoch,
        "connected": connected,
        "in_flight": in_flight,
        "lag_s": lag_s,
        "trouble": trouble,
    }
    conn.execute(_Q["beat"], values)


def select_gaps(conn: ReadConnection, *, seen_since: datetime, asked_before: datetime, limit: int = 200) -> list[Gap]:
    """Gaps of devices heard of since `seen_since` that were not asked for since `asked_before`."""
    values = {"seen_since": seen_since, "asked_before": asked_before, "limit": limit}
    rows = conn.execute(_Q["select_gaps"], values)
    return [Gap(row[0], row[1], int(row[2]), int(row[3])) for row in rows]


def mark_gap_asked(conn: WriteConnection, gap: Gap, at: datetime) -> None:
    """Remember that the gaps of its boot were asked for."""
    conn.execute(_Q["mark_gap_asked"], {"serial": gap.serial, "boot": gap.boot, "at": at})
