"""Neighbours that send what hurts most: the others must lose nothing by it, and wait no longer."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from millpond.kernel.broker import parse_broker_url

PREFIX = "HOSTILE-"
SERIALS = tuple(f"{PREFIX}{number}" for number in range(3))
_PAUSE_S = 0.25


@dataclass(frozen=True, slots=True)
class Message:
    """One hostile message of a device's."""

    payload: bytes
    channel: str = "telemetry"
    retain: bool = False


def _many_bad_metrics(number: int, chance: Random) -> Iterator[Message]:
    names = {f"{number:x}{chance.getrandbits(12):x}{i:x}": 1 for i in range(15_000)}
    yield Message(_dump({"metrics": names}))


def _many_bad_samples(number: int, _chance: Random) -> Iterator[Message]:
    yield Message(_dump({"boot": f"s{number}", "samples": ["x"] * 10_000}))


def _holes(number: int, _chance: Random) -> Iterator[Message]:
    for boot in range(4):
        samples = [{"seq": 2 * i, "metrics": {"pm25_ugm3": i}} for i in range(1, 261)]
        yield Message(_dump({"boot": f"h{number}-{boot}", "samples": samples}), channel="backfill")


def _sparse_numbers(number: int, _chance: Random) -> Iterator[Message]:
    samples = [{"seq": 10_000 * number + 2 * i, "metrics": {"pm25_ugm3": i}} for i in range(1, 2001)]
    yield Message(_dump({"boot": "sparse", "samples": samples}), channel="backfill")


def _boots(number: int, chance: Random) -> Iterator[Message]:
    for i in range(50):
        boot = f"{number:x}-{i:x}-{chance.getrandbits(64):x}"
        yield Message(_dump({"boot": boot, "seq": 1, "metrics": {"pm25_ugm3": 1}}))


def _too_large(number: int, _chance: Random) -> Iterator[Message]:
    yield Message(number.to_bytes(8, "big") + b"\0" * 4_000_000)


def _retained(number: int, _chance: Random) -> Iterator[Message]:
    yield Message(_dump({"metrics": {"pm25_ugm3": number % 100}}), retain=True)


def _unreadable(number: int, chance: Random) -> Iterator[Message]:
    for cut in (
        b'"metrics":{"pm25_ugm3":nan}}',
        b'"metrics":{"x":"\xed\xa0\xbd"}}',
        b'"ts":1' + b"0" * 400 + b"}",
        b'"m',
    ):
        yield Message(b'{"boot":"u","seq":%d,' % (4 * number + chance.randrange(4)) + cut)


ACTS: tuple[Callable[[int, Random], Iterator[Message]], ...] = (
    _many_bad_metrics,
    _many_bad_samples,
    _holes,
    _sparse_numbers,
    _boots,
    _too_large,
    _retained,
    _unreadable,
)


class Hostile:
    """Does one act after the other as one of a few registered devices, and tries to be ingest, until closed."""

    def __init__(self, broker_url: str, consumer: str, seed: int) -> None:
        self._address, self._consumer, self._chance = parse_broker_url(broker_url), consumer, Random(seed)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hostile", daemon=True)
        self.done: Counter[str] = Counter()

    @property
    def rounds(self) -> int:
        """How many times it has done everything."""
        return min(self.done[_name(act)] for act in ACTS)

    def has_done(self, rounds: int) -> bool:
        """Whether it has done everything so many times."""
        return self.rounds >= rounds

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop it; safe to repeat."""
        self._done.set()
        self._thread.join(30)

    def _run(self) -> None:
        number = 0
        while not self._done.wait(_PAUSE_S):
            # The broker is away at times: that is the fault's doing and no news.
            with suppress(OSError, ValueError, RuntimeError):
                self._act(number)
            number += 1

    def _act(self, number: int) -> None:
        act, serial = ACTS[number % len(ACTS)], SERIALS[number % len(SERIALS)]
        with _Client(self._address.host, self._address.port, f"{serial}-itself") as client:
            for message in act(number, self._chance):
                client.publish(f"millpond/v1/{serial}/{message.channel}", message.payload, message.retain)
        self.done[_name(act)] += 1
        with _Client(self._address.host, self._address.port, f"{self._consumer}-live"):
            self.done["take-over"] += 1


class _Client:
    """A connection of its own, with a clean session."""

    def __init__(self, host: str, port: int, client_id: str) -> None:
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        self._client.max_inflight_messages_set(0)
        self._host, self._port = host, port

    def __enter__(self) -> Self:
        self._client.connect(self._host, self._port)
        self._client.loop_start()
        return self

    def publish(self, topic: str, payload: bytes, retain: bool) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def _name(act: Callable[[int, Random], Iterator[Message]]) -> str:
    return act.__name__.strip("_")


def _dump(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
