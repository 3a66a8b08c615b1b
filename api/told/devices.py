"""Devices, as people are told: what they are, what is in them, what they said last, and whose they are."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

from api.models import Out
from devices.nouns import Installation


class DeviceOut(Out):
    """One unit; `customer_id` is null while nobody owns it."""

    serial: str
    model: str
    region: str
    customer_id: str | None
    installed_at: datetime
    registered_at: datetime


class RegisteredOut(DeviceOut):
    """A new device. The claim code of one without an owner is told once, to be printed on its label."""

    told_once: ClassVar = ("claim_code",)

    claim_code: str | None = None


class InstallationOut(Out):
    """One consumable in the device; `ended_at` is null for the current one.

    `ended_by` is `undone` for one that was never put in: what spoke for it `came_back`, or was `contradicted`.
    """

    installation_id: int
    part: str
    consumable: str
    installed_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    undone_because: str | None


class LatestOut(Out):
    """The newest value of one metric."""

    metric: str
    unit: str
    measured_at: datetime
    value: float | None
    state: str | None


class StatusOut(Out):
    """What the device last said of itself."""

    state: str
    changed_at: datetime


class PresenceOut(Out):
    """Whether the device is there: connected (`online`, `offline`, `unknown`), and apart from that `reporting`.

    `reporting` is `reporting`, `quiet` or `never_heard`: whether its newest value came within three of its own
    intervals (`interval_s`, learnt from its days; null while it has none: then within two days).
    """

    connection: str
    connection_since: datetime | None
    reporting: str
    heard_at: datetime | None
    interval_s: float | None


class DoubtOut(Out):
    """What is doubtful about the device: samples that came without a good time, holes in its numbers, two units.

    `clock_offset_s` is by how many seconds its clock was last ahead of ours, null when it said nothing.
    `clock_behind_s` is how many seconds at least passed from the device's time of a reading until it came, over its
    last day of readings: nearly 0 where its clock is right, less where it is ahead, more where it is behind or late.
    `shared_serial_returns` is how often one of the two boots or sessions in `shared_serial_names` came back after the
    other was live: two units publish under this serial. 0 when none was noticed.
    """

    clock_samples: int
    clock_first_at: datetime | None
    clock_last_at: datetime | None
    clock_offset_s: float | None
    clock_behind_s: float | None
    gaps: int
    gaps_since: datetime | None
    shared_serial_returns: int
    shared_serial_first_at: datetime | None
    shared_serial_last_at: datetime | None
    shared_serial_names: list[str] | None


class DeviceDetail(DeviceOut):
    """A device with what is in it and what it last said; `doubt` is told to operators."""

    status: StatusOut | None
    presence: PresenceOut
    installations: list[InstallationOut]
    latest: list[LatestOut]
    doubt: DoubtOut | None


class ClaimCodeOut(Out):
    """A claim code, told once; `expires_at` is null for a label's, which holds until the next is issued."""

    told_once: ClassVar = ("claim_code",)

    serial: str
    claim_code: str | None
    expires_at: datetime | None


class OwnershipOut(Out):
    """A customer owned the device in [owned_from, owned_until); null is until now."""

    customer_id: str
    owned_from: datetime
    owned_until: datetime | None
    granted_by: str


class OwnersOut(Out):
    """All who owned the device, oldest first."""

    items: list[OwnershipOut]


def show_installations(installations: Iterable[Installation], since: datetime) -> list[InstallationOut]:
    """What was in the device at some time since then, as if what was in it already had been put in at that moment."""
    shown = [InstallationOut.model_validate(row) for row in installations if (row.ended_at or since) >= since]
    return [one.model_copy(update={"installed_at": max(one.installed_at, since)}) for one in shown]
