"""One function, one statement: times that were made up for samples, and the devices they were made up for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import chain, groupby

from psycopg.rows import kwargs_row

from ingest.nouns import SeqKey
from ingest.plain import BootKey
from ingest.sequences.ranges import format_seqs
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.ids import DeviceId

_Q = load_queries("ingest.storing")


@dataclass(frozen=True, slots=True)
class ClockNews:
    """What a batch adds to one device's doubtful clock; `offset_s` is by how many seconds it was ahead of ours."""

    made_up_to: datetime | None
    samples: int
    offset_s: float | None


def select_effective_times(conn: ReadConnection, keys: Sequence[SeqKey]) -> dict[SeqKey, datetime]:
    """Those of `keys` whose time was made up at their first delivery, with that time."""
    with conn.cursor(row_factory=kwargs_row(_effective_time)) as cursor:
        return dict(cursor.execute(_Q["select_effective_times"], _key_columns(keys)))


def insert_effective_times(
    conn: WriteConnection, times: Mapping[SeqKey, datetime], came_ats: Mapping[SeqKey, datetime]
) -> None:
    """Keep the made-up times of samples for their next deliveries; `came_ats` has those that came after their time."""
    keys = sorted(times, key=_order)
    values = {"effective_ats": [times[key] for key in keys], "came_ats": [came_ats.get(key) for key in keys]}
    conn.execute(_Q["insert_effective_times"], _key_columns(keys) | values)


def select_times_before(conn: ReadConnection, keys: Sequence[SeqKey]) -> dict[SeqKey, datetime]:
    """By sample the time that was made up for the one of its boot with the next lower number, if any was."""
    with conn.cursor(row_factory=kwargs_row(_effective_time)) as cursor:
        return dict(cursor.execute(_Q["select_times_before"], _key_columns(keys)))


def select_boot_starts(conn: ReadConnection, boots: Sequence[BootKey]) -> dict[BootKey, datetime]:
    """When those of `boots` began of which it is known."""
    with conn.cursor(row_factory=kwargs_row(_boot_start)) as cursor:
        return dict(cursor.execute(_Q["select_boot_starts"], _boot_columns(boots)))


def update_boot_starts(conn: WriteConnection, starts: Mapping[BootKey, datetime]) -> None:
    """Remember when boots began that the batch added numbers to."""
    conn.execute(_Q["update_boot_starts"], _boot_columns(list(starts)) | {"began_ats": list(starts.values())})


def select_read_before(conn: ReadConnection, keys: Iterable[SeqKey]) -> set[SeqKey]:
    """Those of `keys` that came before this batch and of which readings came."""
    boots = [(boot, [key.seq for key in group]) for boot, group in groupby(sorted(keys, key=_order), key=_boot)]
    values = {
        "serials": [serial for (serial, _), _ in boots],
        "boots": [boot for (_, boot), _ in boots],
        "numbers": [format_seqs(seqs) for _, seqs in boots],
    }
    with conn.cursor(row_factory=kwargs_row(_keys_between)) as cursor:
        return set(chain.from_iterable(cursor.execute(_Q["select_read_before"], values)))


def lock_clocks(conn: WriteConnection, devices: Iterable[DeviceId], at: datetime) -> dict[DeviceId, datetime | None]:
    """Keep other writers from making up times for these devices until the commit; returns the last made-up times."""
    return dict(conn.execute(_Q["lock_clocks"], {"device_ids": sorted(devices), "at": at}).fetchall())


def update_clocks(conn: WriteConnection, news: Mapping[DeviceId, ClockNews], at: datetime) -> None:
    """Remember the last times that were made up, and count the samples they were made up for."""
    values = {
        "device_ids": list(news),
        "made_up_tos": [one.made_up_to for one in news.values()],
        "samples": [one.samples for one in news.values()],
        "offsets": [one.offset_s for one in news.values()],
        "at": at,
    }
    conn.execute(_Q["update_clocks"], values)


def _effective_time(*, serial: str, boot: str, seq: Decimal, effective_at: datetime) -> tuple[SeqKey, datetime]:
    return SeqKey(serial, boot, int(seq)), effective_at


def _boot_start(*, serial: str, boot: str, began_at: datetime) -> tuple[BootKey, datetime]:
    return (serial, boot), began_at


def _boot_columns(boots: Sequence[BootKey]) -> dict[str, list[object]]:
    return {"serials": [serial for serial, _ in boots], "boots": [boot for _, boot in boots]}


def _keys_between(*, serial: str, boot: str, from_seq: Decimal, to_seq: Decimal) -> list[SeqKey]:
    return [SeqKey(serial, boot, seq) for seq in range(int(from_seq), int(to_seq))]


def _order(key: SeqKey) -> tuple[str, str, int]:
    return (key.serial, key.boot, key.seq)


def _boot(key: SeqKey) -> tuple[str, str]:
    return (key.serial, key.boot)


def _key_columns(keys: Sequence[SeqKey]) -> dict[str, list[object]]:
    return {"serials": [k.serial for k in keys], "boots": [k.boot for k in keys], "seqs": [k.seq for k in keys]}
