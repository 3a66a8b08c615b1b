"""What the ingest benchmark publishes: samples of five metrics, measured today, each at a moment of its own."""

import json as jsonlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.fleet import metric_values
from devices.wire import build_topic

# The parts of the benchmark have hours of their own, so that no sample is a duplicate of another part's.
LIVE, PACED, WAITING = (timedelta(hours=3), timedelta(hours=2), timedelta(hours=1))
_STEP_MS = 10


def topic_of(device: int) -> str:
    """Where a device of the benchmark's fleet publishes."""
    return build_topic(f"bench-{device}", "telemetry")


def make_payload(boot: str, seq: int, start: datetime) -> bytes:
    """One sample, measured `seq` hundredths of a second after `start`."""
    ts = round(start.timestamp() * 1000) + _STEP_MS * seq
    return jsonlib.dumps({"boot": boot, "seq": seq, "ts": ts, "metrics": metric_values(seq)}).encode()


def make_waiting(messages: int, devices: int, now: datetime) -> Iterator[tuple[str, bytes]]:
    """Topics and payloads, device after device, that are to wait at the broker."""
    for number in range(messages):
        seq, device = divmod(number, devices)
        yield topic_of(device), make_payload("waiting", seq + 1, now - WAITING)


def write_lines(folder: Path, messages: int, publishers: int, now: datetime) -> list[Path]:
    """A file for each publisher with its share of the messages, one payload a line."""
    files = [folder / f"lines-{number}" for number in range(publishers)]
    for number, file in enumerate(files):
        share = messages // publishers + (number < messages % publishers)
        file.write_bytes(b"".join(make_payload("live", seq, now - LIVE) + b"\n" for seq in range(1, share + 1)))
    return files
