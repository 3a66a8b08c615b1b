"""How quickly messages become readings; see `python -m benchmarks.ingest --help`."""

import json as jsonlib
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from benchmarks.broker import CSubscriber, find_mosquitto_sub, forget_sessions, publish_all
from benchmarks.common import Broker, Dsn, Json, Result, fresh_database, run, some_broker, step, tell, timed
from benchmarks.fleet import METRICS, metric_values, register_fleet
from devices.wire import build_topic
from ingest.broker.client_id import client_id
from ingest.broker.session import Session
from ingest.nouns import Lane
from millpond.kernel.clock import Clock, SystemClock, monotonic
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import Unavailable
from millpond.kernel.settings import Settings, load_settings
from millpond.kernel.waiting import wait_until
from millpond.services import ingesting

_STORED = "select coalesce(sum(messages), 0), coalesce(sum(stored), 0) from ingest_minute"


def main(
    messages: Annotated[int, typer.Option(min=1, help="Messages that wait at the broker, five readings in each.")] = (
        20_000
    ),
    devices: Annotated[int, typer.Option(min=1, help="Devices they come from.")] = 200,
    dsn: Dsn = None,
    broker: Broker = None,
    json: Json = False,
) -> None:
    """Messages and readings a second from a real broker into a real database, against a C subscriber that only reads.

    The messages are published first, into two persistent sessions that wait at the broker, so that no publisher is the
    bottleneck. Then each session is drained, one after the other.

    **Measured:** ingest (broker session, decoding, one transaction a batch, telling the devices, acknowledging), from
    its start until the last reading is committed. Fails when not every reading was stored.

    **Reference:** `mosquitto_sub -q 1 -c -C MESSAGES` (C, of Debian's mosquitto-clients), which reads, acknowledges and
    throws away, from its start to its end.
    """
    program = find_mosquitto_sub()
    with fresh_database(dsn) as own, some_broker(broker) as url, tempfile.TemporaryDirectory() as folder:
        settings = load_settings(database_url=own, broker_url=url, consumer_id=f"bench-{uuid4().hex[:8]}")
        seconds, reference_s = _measure(settings, program, messages, devices, Path(folder))
    tell(
        Result(
            "ingest",
            "messages_per_s",
            "messages/s",
            {"messages_per_s": messages / seconds, "readings_per_s": messages * len(METRICS) / seconds},
            messages / reference_s,
            "mosquitto_sub, which only reads the same messages",
            {"messages": messages, "devices": devices, "readings_per_message": len(METRICS)},
        ),
        as_json=json,
    )


def _measure(settings: Settings, program: str, messages: int, devices: int, folder: Path) -> tuple[float, float]:
    """Seconds that ingest and that the C subscriber needed."""
    address, clock = settings.broker_address(), SystemClock()
    reference = CSubscriber(program, address, folder)
    with connect(settings.database_url.get_secret_value()) as conn:
        register_fleet(conn, devices, clock.now())
        try:
            with step("filling two sessions at the broker"):
                reference.open_session()
                _open_ingest_sessions(settings, clock)
                publish_all(address, _make_messages(messages, devices, clock.now()))
            with step("the C subscriber reads"):
                _, reference_s = timed(lambda: reference.drain(messages))
            with step("ingest stores"):
                seconds = _drain(conn, settings, clock, messages)
        finally:
            lanes = [client_id(settings.consumer_id, lane, address) for lane in Lane]
            forget_sessions(address, [reference.client_id, *lanes])
    return seconds, reference_s


def _open_ingest_sessions(settings: Settings, clock: Clock) -> None:
    """Ingest comes and goes: from now on the broker keeps what is published for it."""
    address = settings.broker_address()
    session = Session(address, settings.consumer_id, clock, settings.in_flight_max_messages)
    session.start()
    try:
        wait_until(lambda: session.subscribed, "the broker's confirmation of ingest's subscription", timeout_s=10)
    finally:
        session.stop()


def _make_messages(messages: int, devices: int, until: datetime) -> Iterator[tuple[str, bytes]]:
    """Live samples, device after device and minute after minute, the last of them now."""
    start = until - timedelta(minutes=messages // devices + 1)
    for number in range(messages):
        seq, device = divmod(number, devices)
        ts = round((start + timedelta(minutes=seq)).timestamp() * 1000)
        sample = {"boot": "bench", "seq": seq + 1, "ts": ts, "metrics": metric_values(number)}
        yield build_topic(f"bench-{device}", "telemetry"), jsonlib.dumps(sample).encode()


def _drain(conn: WriteConnection, settings: Settings, clock: Clock, messages: int) -> float:
    """Seconds from ingest's start to the commit of the last message."""
    started = monotonic()
    with ingesting(settings, clock):
        wait_until(lambda: _count(conn)[0] >= messages, "the last commit", timeout_s=60 + messages / 500, every_s=0.01)
        seconds = monotonic() - started
    taken, stored = _count(conn)
    if stored != taken * len(METRICS):
        raise Unavailable(f"{taken} messages came in, but only {stored} readings were stored")
    return seconds


def _count(conn: WriteConnection) -> tuple[int, int]:
    """Messages taken and readings stored so far."""
    row = conn.execute(_STORED).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


if __name__ == "__main__":
    run(main)
