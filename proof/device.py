"""A device as docs/devices.md asks for it: an outbox, a window, and nothing forgotten before it is said to be safe."""

from collections.abc import Iterator

from devices import wire
from proof.journal import BOOT, Journal, Sample, measure
from simulators.outbox import Outbox, StoredSample

_BATCH = 40
_BACKLOG = 8
_SILENCE_S, _SILENCE_MAX_S = 6.0, 24.0


class Device:
    """Sends live samples one by one and a backlog in batches; sends again after silence, a reconnect, or when asked.

    `window` is how many samples it lets go without having heard that they are safe.
    """

    def __init__(self, number: int, serial: str, seed: int, journal: Journal, window: int) -> None:
        self.serial = serial
        self.outbox = Outbox()
        self.outbox.open_boot(BOOT)
        self.measured = self.acked = 0
        self._number, self._seed, self._journal, self._window = number, seed, journal, window
        self._heard_at = 0.0
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
        self.outbox.append(BOOT, [(ts_ms, {"filter_used_h": sample.used_h, "pm25_ugm3": sample.pm25})])
        return sample

    def next_message(self, now: float) -> tuple[str, bytes] | None:
        """Topic and payload of what may go out now, or None."""
        room = self._window - self.in_flight
        if room <= 0 or not self.outbox.unsent:
            return None
        if not self.in_flight:
            self._heard_at = now
        if self.outbox.unsent > _BACKLOG:
            return self._build("backfill", self.outbox.take(min(_BATCH, room)))
        return self._build("telemetry", self.outbox.take(1))

    def on_ack(self, payload: bytes, now: float) -> None:
        """Forget what is safe."""
        ack = wire.Ack.model_validate_json(payload)
        gone = self.outbox.forget(ack.boot, ack.seq)
        self.acked += gone
        if gone:
            self._heard_at, self._patience_s = now, _SILENCE_S

    def on_command(self, payload: bytes) -> Iterator[tuple[str, bytes]]:
        """Send a range of numbers again; what is not here any more was said to be safe."""
        asked = wire.ResendCommand.model_validate_json(payload)
        samples = list(self.outbox.samples(asked.boot, asked.from_seq, asked.to_seq))
        for start in range(0, len(samples), _BATCH):
            yield self._build("backfill", samples[start : start + _BATCH])

    def on_silence(self, now: float) -> None:
        """When nothing was heard for long, everything that is not safe goes out again; then it waits twice as long."""
        if self.in_flight and now - self._heard_at > self._patience_s:
            self._heard_at, self._patience_s = now, min(2 * self._patience_s, _SILENCE_MAX_S)
            self.outbox.rewind()

    def on_reconnect(self) -> None:
        """The broker may have forgotten everything."""
        self.outbox.rewind()

    def _build(self, channel: wire.Channel, samples: list[StoredSample]) -> tuple[str, bytes]:
        body = samples[0].body[1:] if len(samples) == 1 else b'"samples":[' + b",".join(s.body for s in samples) + b"]}"
        return wire.build_topic(self.serial, channel), b'{"boot":"' + BOOT.encode() + b'",' + body
