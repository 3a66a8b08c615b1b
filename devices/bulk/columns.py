"""Many readings by column: what ingest and imports store, without an object for each of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.nouns import Reading
from millpond.kernel.arrays import Bools, Floats, Ints, from_us, to_us
from millpond.kernel.ids import DeviceId, MetricId

States = NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class ReadingColumns:
    """Readings in the order in which they came; times are in microseconds since 1970.

    A state's value is NaN and its text is in `states`, where every other reading has None; without any state that is
    None as a whole.
    """

    device_ids: Ints
    metric_ids: Ints
    measured_us: Ints
    values: Floats
    received_us: Ints
    corrected: Bools
    states: States | None = None

    def __len__(self) -> int:
        return len(self.device_ids)

    @property
    def is_state(self) -> Bools:
        """Which readings are states."""
        return np.zeros(len(self), np.bool_) if self.states is None else _are_texts(self.states)

    def take(self, rows: Ints | Bools) -> "ReadingColumns":
        """Some of the readings, in this order."""
        states = None if self.states is None else self.states[rows]
        return ReadingColumns(
            self.device_ids[rows],
            self.metric_ids[rows],
            self.measured_us[rows],
            self.values[rows],
            self.received_us[rows],
            self.corrected[rows],
            states if states is not None and _are_texts(states).any() else None,
        )

    def first_of_each_key(self) -> Ints:
        """Where the first reading of each device, metric and time is, in the order of these keys."""
        order = np.lexsort((self.measured_us, self.metric_ids, self.device_ids))
        keys = (self.device_ids[order], self.metric_ids[order], self.measured_us[order])
        return order[_changes(*keys)]

    def newest_of_each_series(self) -> "ReadingColumns":
        """The last measured reading of each device and metric; the readings are in the order of their keys."""
        begins = _changes(self.device_ids, self.metric_ids)
        return self.take(np.append(begins[1:], True))

    def first_of_each_device(self) -> Ints:
        """Where the readings of each device begin; they are in the order of devices."""
        return np.flatnonzero(_changes(self.device_ids))

    def readings(self) -> list[Reading]:
        """The same as objects: for the few that are looked at one by one."""
        states = [None] * len(self) if self.states is None else self.states.tolist()
        return [
            Reading(
                DeviceId(device_id),
                MetricId(metric_id),
                from_us(measured_us),
                None if state is not None else value,
                state,
                from_us(received_us),
                corrected,
            )
            for device_id, metric_id, measured_us, value, received_us, corrected, state in zip(
                self.device_ids.tolist(),
                self.metric_ids.tolist(),
                self.measured_us.tolist(),
                self.values.tolist(),
                self.received_us.tolist(),
                self.corrected.tolist(),
                states,
                strict=True,
            )
        ]


def columns_of(readings: Sequence[Reading]) -> ReadingColumns:
    """Readings by column, in the same order."""
    states = [reading.state for reading in readings]
    return ReadingColumns(
        np.array([r.device_id for r in readings], np.int64),
        np.array([r.metric_id for r in readings], np.int64),
        np.array([to_us(r.measured_at) for r in readings], np.int64),
        np.array([np.nan if r.value is None else r.value for r in readings], np.float64),
        np.array([to_us(r.received_at) for r in readings], np.int64),
        np.array([r.corrected for r in readings], np.bool_),
        np.array(states, np.object_) if any(state is not None for state in states) else None,
    )


def concatenate(parts: Sequence[ReadingColumns]) -> ReadingColumns:
    """The readings of all parts, one part after the other."""
    if len(parts) == 1:
        return parts[0]
    states = None
    if any(part.states is not None for part in parts):
        states = np.concatenate([np.full(len(p), None) if p.states is None else p.states for p in parts])
    return ReadingColumns(
        np.concatenate([part.device_ids for part in parts]),
        np.concatenate([part.metric_ids for part in parts]),
        np.concatenate([part.measured_us for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.received_us for part in parts]),
        np.concatenate([part.corrected for part in parts]),
        states,
    )


def _are_texts(states: States) -> Bools:
    return np.array([state is not None for state in states.tolist()], np.bool_)


def _changes(*keys: Ints) -> Bools:
    """Where in sorted keys another one begins."""
    begins = np.zeros(len(keys[0]), np.bool_)
    begins[:1] = True
    for key in keys:
        begins[1:] |= key[1:] != key[:-1]
    return begins
