"""What a message costs with few devices and with many; see `python -m benchmarks.devices --help`."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Annotated

import psutil
import typer

from benchmarks.common import Dsn, Json, NoBroker, Result, fresh_database, run, step, tell, timed
from benchmarks.cpu import CpuMeter, find_database
from benchmarks.fleet import METRICS, MODEL
from benchmarks.stream import WAITING, make_payload, topic_of
from ingest.nouns import Delivery, Keeping, Lane, Limits
from ingest.storing.allowance import Allowances
from ingest.storing.batch import store_batch
from ingest.storing.known import Known
from millpond.kernel.clock import SystemClock
from millpond.kernel.collector import search_rarely
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import MillpondError
from millpond.kernel.settings import load_settings

_REGISTER = """
insert into device (serial, model, installed_at, registered_at)
select 'bench-' || number, %(model)s, %(at)s, %(at)s from generate_series(0, %(devices)s - 1) as number
"""


def main(
    devices: Annotated[str, typer.Option(help="Sizes of the fleet, fewest first.")] = "100,1000,20000,100000",
    messages: Annotated[int, typer.Option(min=1, help="Messages of known devices, five readings in each.")] = 20_000,
    batch: Annotated[int, typer.Option(min=1, help="Messages in one transaction.")] = 1_000,
    dsn: Dsn = None,
    broker: NoBroker = None,
    json: Json = False,
) -> None:
    """Microseconds a message of the writer, from the payloads to the commit, by the number of devices.

    **Measured:** `store_batch`, as ingest's writer calls it, with messages of a fleet that speaks in turns, each
    turn in an order of its own, so that with more devices than messages in a batch each message is of another device.
    Each size has a database of its own, where every device spoke once before: `first_…` is what that took.
    `wall_us_N` is from the batch to the commit, `ingest_cpu_us_N` and `database_cpu_us_N` are the CPU of this process
    and of PostgreSQL's meanwhile. There is no broker.
    `rss_mb_N` is this process's memory after the fleet of N.

    **Reference:** the smallest fleet. The ratio is what a message costs in the largest one over that: 1 is flat.
    """
    sizes = [int(size) for size in devices.split(",")]
    figures: dict[str, float] = {}
    for size in sizes:
        with fresh_database(dsn) as own, connect(own) as conn, step(f"{size:,} devices"):
            figures |= {f"{name}_{size}": value for name, value in _measure(conn, size, messages, batch).items()}
    # The figure has a name that does not depend on the sizes.
    figures["wall_us_per_message"] = figures[f"wall_us_{sizes[-1]}"]
    what = {"devices": devices, "messages": messages, "batch": batch}
    reference = f"the same with {sizes[0]:,} devices"
    reference_us = figures[f"wall_us_{sizes[0]}"]
    tell(Result("devices", "wall_us_per_message", "us", figures, reference_us, reference, what), as_json=json)


def _measure(conn: WriteConnection, devices: int, messages: int, batch: int) -> dict[str, float]:
    now = SystemClock().now()
    conn.execute(_REGISTER, {"model": MODEL, "at": now - timedelta(days=30), "devices": devices})
    conn.execute("analyze device")
    fleet, store = _speak(devices, now), _make_store(conn, now)
    # As `millpond ingest` does.
    search_rarely()
    first = _figures(conn, islice(fleet, devices), batch, store)
    again = _figures(conn, islice(fleet, messages), batch, store)
    memory = {"rss_mb": psutil.Process().memory_info().rss / 1e6}
    return {f"first_{name}": value for name, value in first.items()} | again | memory


def _speak(devices: int, now: datetime) -> Iterator[Delivery]:
    """What the fleet says: a sample of each device, then the next of each, in another order each time."""
    order, mixed = list(range(devices)), random.Random(1)
    seq = 0
    while True:
        seq += 1
        mixed.shuffle(order)
        for device in order:
            payload = make_payload(f"boot-{device}", seq, now - WAITING)
            yield Delivery(topic_of(device), payload, now, Lane.LIVE, 1, 1, 1)


def _make_store(conn: WriteConnection, now: datetime) -> Callable[[Sequence[Delivery]], int]:
    """Stores a batch as the writer does, with what it remembers; returns how many readings were new."""
    settings = load_settings(device_messages_per_s=0, device_boots_per_h=1000)
    known, allowances = Known(), Allowances.from_settings(settings)
    limits, keeping = Limits.from_settings(settings), Keeping.from_settings(settings)

    def store(batch: Sequence[Delivery]) -> int:
        stored = store_batch(
            conn, batch, limits, consumer="bench", at=now, keeping=keeping, known=known, allowances=allowances
        )
        return stored.tally.stored

    return store


def _figures(
    conn: WriteConnection, fleet: Iterator[Delivery], batch: int, store: Callable[[Sequence[Delivery]], int]
) -> dict[str, float]:
    """Microseconds a message: by the clock, of this process and of the database's."""
    database, messages, wall_s, cpu_s = CpuMeter({"database": find_database(conn)}), 0, 0.0, 0.0
    while came := list(islice(fleet, batch)):
        before = time.process_time()
        stored, seconds = timed(partial(store, came))
        if stored != len(METRICS) * len(came):
            raise MillpondError(f"{stored:,} readings were stored of {len(came):,} messages")
        messages, wall_s, cpu_s = messages + len(came), wall_s + seconds, cpu_s + time.process_time() - before
    each = {"wall_us": wall_s / messages * 1e6, "ingest_cpu_us": cpu_s / messages * 1e6}
    return each | database.microseconds_each(messages)


if __name__ == "__main__":
    run(main)
