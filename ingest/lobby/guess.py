"""Which model an unknown device may be: the one whose profile reads most of what waits. A guess admits nobody."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from devices.nouns import Device, Meaning, Metric
from devices.store import select_metrics, select_speaks
from ingest.described.keep import recall_descriptions
from ingest.lobby.nouns import Guess, Unknown
from ingest.lobby.store import select_newest_waiting
from ingest.nouns import Delivery, Registry
from ingest.storing.terms import Terms
from millpond.kernel.db import ReadConnection
from millpond.kernel.ids import DeviceId, Serial

_MESSAGES = 5
_NAMED = 3
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def guess_model(conn: ReadConnection, unknown: Unknown, terms: Terms, *, messages: int = _MESSAGES) -> list[Guess]:
    """The models that read most of the newest messages, best first; none when no model reads any of them."""
    kept = [one for one in select_newest_waiting(conn, unknown.name, messages) if one.is_whole]
    deliveries = recall_descriptions(conn, [one.deliveries[0] for one in kept], terms.formats, terms.limits)
    metrics, speaks = select_metrics(conn), select_speaks(conn).get(unknown.format, {})
    names = (unknown.identity, *unknown.other_names)
    guesses = (_try(_registry(model, names, metrics, speaks), deliveries, terms) for model in metrics)
    able = [guess for guess in guesses if guess.readings]
    # Of models that read as much, the one that has least besides is nearest.
    return sorted(able, key=lambda one: (one.refused - one.readings, len(metrics[one.model]), one.model))[:_NAMED]


def _registry(
    model: str,
    names: Sequence[str],
    metrics: Mapping[str, Mapping[str, Metric]],
    speaks: Mapping[str, Mapping[str, Meaning]],
) -> Registry:
    """What a format would know if whoever is called so were a device of this model, and nobody else."""
    device = Device(DeviceId(0), Serial(names[0]), model, "", None, _LONG_AGO, _LONG_AGO)
    return Registry(dict.fromkeys(names, device), metrics, "others/", speaks)


def _try(registry: Registry, deliveries: Sequence[Delivery], terms: Terms) -> Guess:
    """What they would become then."""
    [device, *_] = registry.devices.values()
    readings = refused = 0
    for delivery in deliveries:
        one = terms.formats.reading(delivery.topic)
        for decoded in terms.formats.decode(delivery, {one.name: registry}, terms.limits) if one else ():
            if decoded.device is device:
                readings += len(decoded.readings)
                refused += sum(rejection.items for rejection in decoded.rejections)
    return Guess(device.model, readings, refused)
