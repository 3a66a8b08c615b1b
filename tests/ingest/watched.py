"""A watch over gaps and what it says, and samples of a device that has some."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from devices.registry import register_device
from devices.wire import Ack, ResendCommand
from ingest.nouns import Complete, Delivery, Gap, Lane, Limits
from ingest.sequences.gaps import GapWatch
from ingest.storing.batch import StoredBatch, store_batch
from millpond.kernel.db import WriteConnection
from millpond.kernel.settings import load_settings

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
LIMITS = Limits(4_096, timedelta(days=365), timedelta(minutes=5), 50)
A, B = "AIR-A", "AIR-B"
UNREADABLE = b'{"boot":"b","seq":2,"met'[:18]


@dataclass
class Watch:
    """A watch over gaps, and what it said to the devices."""

    conn: WriteConnection
    watch: GapWatch = field(default_factory=lambda: GapWatch(load_settings()))
    acks: list[Complete] = field(default_factory=list)
    commands: list[tuple[str, ResendCommand]] = field(default_factory=list)

    def look(self, after: timedelta = timedelta(seconds=4)) -> list[Gap]:
        """What it asks for when so much time has passed."""
        self.conn.execute("update watched_gap set ask_at = ask_at - %s, asked_at = asked_at - %s", [after, after])
        return sorted(self.watch.check(self.conn, self._publish), key=lambda gap: (gap.serial, gap.boot, gap.from_seq))

    def _publish(self, messages: Sequence[tuple[str, bytes]]) -> None:
        for topic, payload in messages:
            _, _, serial, channel = topic.split("/")
            if channel == "ack":
                ack = Ack.model_validate_json(payload)
                self.acks.append(Complete(serial, ack.boot, ack.seq))
            else:
                self.commands.append((serial, ResendCommand.model_validate_json(payload)))


def delivery(payload: bytes, serial: str = A, channel: str = "telemetry") -> Delivery:
    return Delivery(f"millpond/v1/{serial}/{channel}", payload, NOW, Lane.LIVE, 1, 1, 1)


def sample(seq: int, boot: str = "b") -> bytes:
    ts = int(NOW.timestamp() * 1000) - 1_000_000 + seq % 1_000_000
    return json.dumps({"boot": boot, "seq": seq, "ts": ts, "metrics": {"filter_life_pct": 64}}).encode()


def store(conn: WriteConnection, *payloads: bytes, serial: str = A) -> StoredBatch:
    return store_batch(conn, [delivery(p, serial) for p in payloads], LIMITS, consumer="test", at=NOW)


def store_seqs(conn: WriteConnection, seqs: Iterable[int], serial: str = A, boot: str = "b") -> StoredBatch:
    return store(conn, *(sample(seq, boot) for seq in seqs), serial=serial)


def complete(conn: WriteConnection, boot: str = "b") -> int:
    [(ranges,)] = conn.execute("select received + given_up from sequence where boot = %s", [boot]).fetchall()
    return int(ranges[0].upper) - 1 if ranges[0].lower <= 1 else 0


def register_two(conn: WriteConnection) -> None:
    """The devices that the tests of gaps speak of."""
    for serial in (A, B):
        register_device(conn, serial=serial, model="reed-air-2", installed_at=NOW - timedelta(days=9), at=NOW)
