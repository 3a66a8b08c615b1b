"""The job that tells: what is wanted at the broker is compared with what was told, and the difference is published."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from forecasting.nouns import CurrentForecast
from forecasting.store import select_current_forecasts
from millpond.kernel.db import WriteConnection
from millpond.kernel.jobs import Claim, held
from millpond.kernel.settings import Settings
from outward.connection import BrokerLink
from outward.told.forecasts import tell_forecast
from outward.told.homeassistant import tell_discovery
from outward.told.nouns import Told
from outward.told.store import (
    DeviceToTell,
    delete_told,
    select_consumable_names,
    select_devices_to_tell,
    select_told,
    upsert_told,
)

_CHUNK = 500


@dataclass(slots=True)
class Telling:
    """What one run did: messages that were told, and that were taken back."""

    devices: int = 0
    told: int = 0
    taken_back: int = 0


def tell_devices(
    conn: WriteConnection, at: datetime, settings: Settings, *, claim: Claim | None = None, chunk: int = _CHUNK
) -> Telling:
    """Publish what changed, retained and confirmed, some devices at a time, and remember it.

    What was published and not remembered, because something failed between the two, is published once more. Raises
    Unavailable when the broker is away: the next run goes on where this one ended.
    """
    summary, names = Telling(), select_consumable_names(conn)
    with ExitStack() as stack:
        link = _Link(settings, stack)
        for devices, wanted in _chunks(conn, at, settings, names, chunk):
            before = select_told(conn, [device.device_id for device in devices])
            new = [each for each in wanted if before.get(each.topic) != each.digest]
            gone = sorted(before.keys() - {each.topic for each in wanted})
            if new or gone:
                link().publish(((each.topic, each.spelt) for each in new), retain=True)
                link().publish(((topic, b"") for topic in gone), retain=True)
                with held(conn, claim):
                    upsert_told(conn, new, at)
                    delete_told(conn, gone)
            summary.devices += len(devices)
            summary.told, summary.taken_back = summary.told + len(new), summary.taken_back + len(gone)
    return summary


class _Link:
    """A connection that is opened when it is first asked for: most runs have nothing to say."""

    def __init__(self, settings: Settings, stack: ExitStack) -> None:
        self._settings, self._stack = settings, stack
        self._link: BrokerLink | None = None

    def __call__(self) -> BrokerLink:
        if self._link is None:
            self._link = self._stack.enter_context(BrokerLink(self._settings.broker_address(), "millpond-outward"))
        return self._link


def _chunks(
    conn: WriteConnection, at: datetime, settings: Settings, names: dict[str, dict[str, str]], chunk: int
) -> Iterator[tuple[list[DeviceToTell], list[Told]]]:
    """Devices, and all that they and their households should be told."""
    lead = timedelta(days=settings.delivery_days + settings.margin_days)
    after = 0
    while devices := select_devices_to_tell(conn, after, chunk):
        by_device: dict[int, list[CurrentForecast]] = {}
        for forecast in select_current_forecasts(conn, [device.device_id for device in devices], at):
            by_device.setdefault(forecast.device_id, []).append(forecast)
        wanted: list[Told] = []
        for device in devices:
            if forecasts := by_device.get(device.device_id):
                wanted.append(tell_forecast(device, forecasts, lead))
                if settings.homeassistant_discovery:
                    wanted += tell_discovery(device, forecasts, names)
        yield devices, wanted
        after = devices[-1].device_id
