"""How quickly messages become readings; see `python -m benchmarks.ingest --help`."""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from benchmarks.broker import Account, CSubscriber, find_client, forget_sessions, publish_all, publishing
from benchmarks.common import Broker, Dsn, Json, Result, fresh_database, run, some_broker, step, tell, timed
from benchmarks.cpu import CpuMeter, find_broker, find_database
from benchmarks.fleet import METRICS, register_fleet
from benchmarks.ingest_process import Ingest
from benchmarks.paced import PacedFleet
from benchmarks.stream import make_waiting, topic_of, write_lines
from ingest.broker.client_id import client_id
from ingest.broker.session import Session
from ingest.nouns import Lane
from millpond.kernel.clock import SystemClock
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.settings import load_settings
from millpond.kernel.waiting import wait_until

_PACE = 0.7


def main(
    messages: Annotated[int, typer.Option(min=1, help="Messages of the live stream, five readings in each.")] = 100_000,
    publishers: Annotated[int, typer.Option(min=1, help="mosquitto_pub at once; each is one device.")] = 4,
    paced_s: Annotated[float, typer.Option(min=0.1, help="Seconds for which the paced fleet publishes.")] = 10,
    waiting: Annotated[int, typer.Option(min=1, help="Messages of the queue that waits at the broker.")] = 20_000,
    devices: Annotated[int, typer.Option(min=1, help="Devices of the paced fleet, and of the queue.")] = 200,
    dsn: Dsn = None,
    broker: Broker = None,
    json: Json = False,
) -> None:
    """Messages and readings a second from a real broker into a real database, against a C subscriber that only reads.

    **Measured:** several `mosquitto_pub -l -q 1` publish prepared lines as fast as they can, while `millpond ingest`,
    in a process of its own, reads, decodes, stores in one transaction a batch, tells the devices and acknowledges:
    from the start of the publishers until the last reading is committed. Fails when not every reading was stored.
    `…_cpu_us` are the CPU microseconds a message of each part meanwhile, user and system.

    **Reference:** `mosquitto_sub -q 1 -c -C MESSAGES` (C, of Debian's mosquitto-clients) has its turn before: it reads
    the same lines live from the same publishers, acknowledges and throws away, from the start of the publishers to its
    own end. Both have persistent sessions and share the machine with broker and publishers, ingest with the database
    besides.

    **Delay:** a fleet then publishes at 70 % of the measured rate. `p50_ms` and `p99_ms` are from the moment before the
    publish of a sample to the coming of the acknowledgement that covers it, which ingest sends after the commit: from
    publish to commit is less by one way through the broker.

    **Queue:** `drain_…` are figures of messages that were all published before, into sessions that wait at the broker,
    so that no publisher shares the machine. Ingest's time begins with its first commit, the C subscriber's with its
    start.
    """
    find_client("mosquitto_pub")
    with fresh_database(dsn) as own, some_broker(broker) as url, tempfile.TemporaryDirectory() as folder:
        with connect(own) as conn:
            register_fleet(conn, max(devices, publishers), SystemClock().now() - timedelta(days=30))
            bench = _Bench(conn, own, url, Path(folder))
            try:
                reference, figures = bench.live(messages, publishers, paced_s, devices)
                figures |= bench.queue(waiting, devices)
            finally:
                bench.forget()
    sizes = {"messages": messages, "publishers": publishers, "waiting": waiting, "devices": devices, "paced_s": paced_s}
    name = "mosquitto_sub, which only reads the same live stream"
    sizes |= {"readings_per_message": len(METRICS)}
    tell(Result("ingest", "messages_per_s", "messages/s", figures, reference, name, sizes), as_json=json)


class _Bench:
    """Each measurement, one after the other, on one database and one broker."""

    def __init__(self, conn: WriteConnection, dsn: str, broker_url: str, folder: Path) -> None:
        self._conn, self._folder = conn, folder
        self._address = load_settings(broker_url=broker_url).broker_address()
        self._now = SystemClock().now()
        self._account = Account(self._address, folder)
        self._subscriber = CSubscriber(self._account)
        self._consumer = f"bench-{uuid4().hex[:8]}"
        settings = {"DATABASE_URL": dsn, "BROKER_URL": broker_url, "CONSUMER_ID": self._consumer}
        self._ingest = Ingest(conn, {f"MILLPOND_{name}": value for name, value in settings.items()}, folder)

    def live(self, messages: int, publishers: int, paced_s: float, devices: int) -> tuple[float, dict[str, float]]:
        """Messages a second of the C subscriber, and the figures of ingest."""
        files = write_lines(self._folder, messages, publishers, self._now)
        topics = [topic_of(number) for number in range(publishers)]
        with step("the C subscriber reads a live stream"):
            self._subscriber.open_session()
            _, reference_s = timed(lambda: self._read_live(messages, topics, files))
            forget_sessions(self._address, [self._subscriber.client_id])
        self._open_ingest_sessions()
        with self._ingest:
            self._ingest.wait_connected()
            with step("ingest stores the same stream"):
                cpu = self._meter()
                _, seconds = timed(lambda: self._store_live(messages, topics, files))
                figures = rates("", messages / seconds) | cpu.microseconds_each(messages)
            with step("a paced fleet publishes"):
                figures |= self._delays(_PACE * messages / seconds, paced_s, devices)
        return messages / reference_s, figures

    def _read_live(self, messages: int, topics: list[str], files: list[Path]) -> None:
        with self._subscriber.reading(messages), publishing(self._account, topics, files):
            pass

    def _store_live(self, messages: int, topics: list[str], files: list[Path]) -> None:
        with self._ingest.storing(messages), publishing(self._account, topics, files):
            pass

    def _meter(self) -> CpuMeter:
        broker, database = find_broker(self._address), find_database(self._conn)
        return CpuMeter({"ingest": self._ingest.pid, "broker": broker, "database": database})

    def _delays(self, rate: float, paced_s: float, devices: int) -> dict[str, float]:
        delays = PacedFleet(self._address, devices, self._now).publish(rate, max(1, round(rate * paced_s)))
        return {"paced_messages_per_s": delays.messages_per_s, "p50_ms": delays.p50_ms, "p99_ms": delays.p99_ms}

    def queue(self, messages: int, devices: int) -> dict[str, float]:
        """Figures of a queue that waits at the broker."""
        with step("filling two sessions at the broker"):
            self._subscriber.open_session()
            publish_all(self._address, make_waiting(messages, devices, self._now))
        with step("the C subscriber drains its queue"):
            _, reference_s = timed(lambda: self._subscriber.drain(messages))
        with step("ingest drains its queue"):
            rate = self._ingest.drain(messages)
        reference = messages / reference_s
        return rates("drain_", rate) | {"drain_reference": reference, "drain_ratio": rate / reference}

    def _open_ingest_sessions(self) -> None:
        """Ingest comes and goes: from now on the broker keeps what is published for it."""
        session = Session(self._address, self._consumer, SystemClock(), 1)
        session.start()
        try:
            wait_until(lambda: session.subscribed, "the broker's confirmation of ingest's subscription", timeout_s=10)
        finally:
            session.stop()

    def forget(self) -> None:
        """The broker keeps nothing of this."""
        lanes = [client_id(self._consumer, lane, self._address) for lane in Lane]
        forget_sessions(self._address, [self._subscriber.client_id, *lanes])


def rates(prefix: str, messages_per_s: float) -> dict[str, float]:
    """The rate in messages and in readings."""
    readings_per_s = messages_per_s * len(METRICS)
    return {f"{prefix}messages_per_s": messages_per_s, f"{prefix}readings_per_s": readings_per_s}


if __name__ == "__main__":
    run(main)
