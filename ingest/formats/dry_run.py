"""Reading a message by a profile alone, without a database: every device that it speaks of is of that model."""

from collections.abc import Collection
from datetime import datetime

from devices.nouns import Device, Metric
from devices.profile import DeviceProfile
from ingest.nouns import Registry
from millpond.kernel.ids import DeviceId, MetricId, Serial


def make_registry(profile: DeviceProfile, language: str, names: Collection[str], at: datetime) -> Registry:
    """What a format, the `language`, would know if all these were devices of the profile's model.

    A metric's id is its place in the profile, from 0.
    """
    metrics = {
        name: Metric(MetricId(number), profile.model, name, m.kind, m.unit, m.min, m.max, m.states)
        for number, (name, m) in enumerate(profile.metrics.items())
    }
    devices = {name: Device(DeviceId(0), Serial(name), profile.model, "", None, at, at) for name in names}
    speaks = {profile.model: profile.meanings(language)}
    return Registry(devices, {profile.model: metrics}, speaks=speaks)
