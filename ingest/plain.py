"""Messages that need no care, by column: nearly all that come, without an object for each sample and reading."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from devices.bulk.columns import ReadingColumns, columns_of
from ingest.nouns import Delivery
from millpond.kernel.arrays import Bools, Ints

BootKey = tuple[str, str]


class KnownDevice(NamedTuple):
    """What must be known of a registered device to read its messages."""

    device_id: int
    model: str


@dataclass(frozen=True, slots=True, eq=False)
class PlainMessages:
    """Messages of registered devices in which every sample has a number and a good time, and every value is one.

    Of each message: the `deliveries` themselves, their `places` in the batch, and its boot (`boot_of` counts in
    `boots`). Of each sample: `message_of`, its number, and when it was measured in microseconds since 1970. Of each
    reading: `sample_of`, and the `readings`. All are in the order in which they came.
    """

    deliveries: Sequence[Delivery]
    places: Ints
    boots: Sequence[BootKey]
    boot_of: Ints
    message_of: Ints
    seqs: Ints
    measured_us: Ints
    sample_of: Ints
    readings: ReadingColumns

    def __len__(self) -> int:
        return len(self.deliveries)

    @property
    def items(self) -> Ints:
        """How many readings each message has."""
        return np.bincount(self.message_of[self.sample_of], minlength=len(self))

    @property
    def reading_places(self) -> Ints:
        """The place in the batch of the message that brought each reading."""
        return self.places[self.message_of[self.sample_of]]

    def is_of(self, serials: Iterable[str]) -> Bools:
        """Which messages are of these devices."""
        wanted = set(serials)
        if not wanted:
            return np.zeros(len(self), np.bool_)
        return np.array([serial in wanted for serial, _ in self.boots], np.bool_)[self.boot_of]

    def keep(self, messages: Bools) -> "PlainMessages":
        """Only these messages."""
        if messages.all():
            return self
        samples = messages[self.message_of]
        readings = samples[self.sample_of]
        return PlainMessages(
            [delivery for delivery, kept in zip(self.deliveries, messages.tolist(), strict=True) if kept],
            self.places[messages],
            self.boots,
            self.boot_of[messages],
            _renumber(messages)[self.message_of[samples]],
            self.seqs[samples],
            self.measured_us[samples],
            _renumber(samples)[self.sample_of[readings]],
            self.readings.take(readings),
        )


def _renumber(kept: Bools) -> Ints:
    return np.cumsum(kept) - 1


_NONE = np.zeros(0, np.int64)
NO_PLAIN_MESSAGES = PlainMessages((), _NONE, (), _NONE, _NONE, _NONE, _NONE, _NONE, columns_of(()))
