"""A device as docs/devices.md asks for it: an outbox, a window, and nothing forgotten before it is said to be safe."""

from collections.abc import Iterator
from typing import assert_never

from devices import wire
from proof.journal import BOOT, Journal, Kind, Sample, kind_of, measure
from simulators.wire.outbox import Outbox, StoredSample

_BATCH = 40
# Several messages at once, so that they come closer together than their samples are many microseconds.
_BURSTS = {Kind.BULK: (1500, 500), Kind.SAME: (400, 200)}
_BACKLOG = 8
# What a device that knows its uptime measured in a minute each before it ever found its network.
_ALONE, _ALONE_MS, _MINUTE_MS = 60, 6 * 3_600_000, 60_000
_SILENCE_S, _SILENCE_MAX_S = 6.0, 24.0


class Device:
    """Sends live samples one by one and a backlog in batches; sends again after silence, a reconnect, or when asked.

    `window` is how many samples it lets go without having heard that they are safe. `burst` is how many samples it
    takes at once: one, or so many that they fill several messages.
    """

    def __init__(self, number: int, serial: str, seed: int, journal: Journal, window: int) -> None:
        self.serial = serial
        self.outbox = Outbox()
        self.outbox.open_boot(BOOT)
        self.measured = self.acked = 0
        self.kind = kind_of(number)
        self.burst, self._batch = _BURSTS.get(self.kind, (1, _BATCH))
        self._number, self._seed, self._journal = number, seed, journal
        self._window = max(window, 2 * self.burst)
        self._heard_at = 0.0
        self._began_ms = 0
        self._patience_s = _SILENCE_S

    @property
    def in_flight(self) -> int:
        """Samples sent and not yet said to be safe."""
        return len(self.outbox) - self.outbox.unsent

    def measure(self, ts_ms: int, sent_ms: int) -> Sample:
        """Take one sample, write it down, and put it into the outbox."""
        self.measured += 1
        sample = measure(self._number, self.measured, ts_ms, sent_ms, self._seed, self.serial)
        self._journal.remember(sample)
        uptimes_s = [self._uptime_s(sent_ms)] if self.kind is Kind.UPTIME else None
        self.outbox.append(BOOT, [(ts_ms, dict(sample.values))], [self._shown(ts_ms)], uptimes_s)
        return sample

    def live_alone(self, now_ms: int) -> None:
        """One that knows its uptime was switched on hours ago, and has measured since."""
        if self.kind is Kind.UPTIME:
            self._began_ms = now_ms - _ALONE_MS - _ALONE * _MINUTE_MS
            for minute in range(_ALONE):
                at_ms = self._began_ms + minute * _MINUTE_MS
                self.measure(at_ms, at_ms)

    def _uptime_s(self, at_ms: int) -> float:
        return (at_ms - self._began_ms) / 1000

    def _shown(self, ts_ms: int) -> int | None:
        """What goes over the wire as the sample's time."""
        match self.kind:
            case Kind.ORDINARY:
                return ts_ms
            case Kind.SECONDS:
                return ts_ms // 1000
            case Kind.CLOCKLESS | Kind.BULK | Kind.SAME:
                return None
            case Kind.UPTIME:
                return ts_ms // 1000 if self.measured % 2 else None
            case _:
                assert_never(self.kind)

    def next_message(self, now: float, now_ms: int) -> tuple[str, bytes] | None:
        """Topic and payload of what may go out now, or None."""
        room = self._window - self.in_flight
        if room <= 0 or not self.outbox.unsent:
            return None
        if not self.in_flight:
            self._heard_at = now
        if self.outbox.unsent > _BACKLOG:
            return self._build("backfill", self.outbox.take(min(self._batch, room)), now_ms)
        return self._build("telemetry", self.outbox.take(1), now_ms)

    def on_ack(self, payload: bytes, now: float) -> None:
        """Forget what is safe."""
        ack = wire.Ack.model_validate_json(payload)
        gone = self.outbox.forget(ack.boot, ack.seq)
        self.acked += gone
        if gone:
            self._heard_at, self._patience_s = now, _SILENCE_S

    def on_command(self, payload: bytes, now_ms: int) -> Iterator[tuple[str, bytes]]:
        """Send a range of numbers again; what is not here any more was said to be safe."""
        asked = wire.ResendCommand.model_validate_json(payload)
        samples = list(self.outbox.samples(asked.boot, asked.from_seq, asked.to_seq))
        for start in range(0, len(samples), self._batch):
            yield self._build("backfill", samples[start : start + self._batch], now_ms)

    def on_silence(self, now: float) -> None:
        """When nothing was heard for long, everything that is not safe goes out again; then it waits twice as long."""
        if self.in_flight and now - self._heard_at > self._patience_s:
            self._heard_at, self._patience_s = now, min(2 * self._patience_s, _SILENCE_MAX_S)
            self.outbox.rewind()

    def on_reconnect(self) -> None:
        """The broker may have forgotten everything."""
        self.outbox.rewind()

    def _build(self, channel: wire.Channel, samples: list[StoredSample], now_ms: int) -> tuple[str, bytes]:
        body = samples[0].body[1:] if len(samples) == 1 else b'"samples":[' + b",".join(s.body for s in samples) + b"]}"
        if self.kind is Kind.UPTIME and len(samples) > 1:
            body = b'"uptime_s":%.3f,' % self._uptime_s(now_ms) + body
        return wire.build_topic(self.serial, channel), b'{"boot":"' + BOOT.encode() + b'",' + body
