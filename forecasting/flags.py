"""What a device itself asks for: flags and states that say whether a part is to be replaced. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from devices.nouns import ModelPart
from devices.parts.limits import FLAGS
from forecasting.nouns import ActiveInstallation, Records, to_day


@dataclass(frozen=True, slots=True)
class FlagState:
    """What the flags of one installation said last, at `read_at`: `due_since` is None while none asks for a new part.

    Times in days since 1970.
    """

    read_at: float
    due_since: float | None


def read_flags(part: ModelPart, installations: Sequence[ActiveInstallation], points: Records) -> list[FlagState | None]:
    """For each installation what its flags say, None where none has said anything of this very part."""
    states: list[FlagState | None] = [None] * len(installations)
    for limit in part.limits:
        if limit.measure in FLAGS:
            said = points[points["metric_id"] == limit.metric_id]
            starts = np.searchsorted(said["device_id"], [int(i.device_id) for i in installations], side="left")
            ends = np.searchsorted(said["device_id"], [int(i.device_id) for i in installations], side="right")
            for row, installation in enumerate(installations):
                one = _read(installation, said[starts[row] : ends[row]])
                states[row] = _join(states[row], one)
    return states


def _read(installation: ActiveInstallation, said: Records) -> FlagState | None:
    """A flag that was on before the part was put in, and was never off since, was not reset: it says nothing of it."""
    installed_at = to_day(installation.installed_at)
    if not len(said) or said["day"][-1] < installed_at:
        return None
    read_at, off = float(said["day"][-1]), np.flatnonzero(said["value"] == 0)
    began = int(off[-1]) + 1 if len(off) else 0
    if began == len(said):
        return FlagState(read_at, None)
    since = float(said["day"][began])
    if since < installed_at and installation.replaced:
        return None
    return FlagState(read_at, max(since, installed_at))


def _join(one: FlagState | None, other: FlagState | None) -> FlagState | None:
    if one is None or other is None:
        return one or other
    since = [state.due_since for state in (one, other) if state.due_since is not None]
    return FlagState(max(one.read_at, other.read_at), min(since, default=None))
