"""When the parts of a device will be used up, as it is told on its own topic."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from devices.depletion import name_dates
from devices.wire import build_topic
from forecasting.nouns import CurrentForecast
from outward.told.nouns import Told
from outward.told.store import DeviceToTell


def tell_forecast(device: DeviceToTell, forecasts: Sequence[CurrentForecast], lead: timedelta) -> Told:
    """The message on `millpond/v1/{serial}/forecast`: each part by its name.

    `reorder_by` is when to order so that the new part is there by P10: `lead` before it. `reason` says why there is no
    date. It is told again when a day or a tenth of a per cent changed, not for each run of the forecasts.
    """
    parts = {each.part: _part(each, lead) for each in forecasts}
    made_at = max(each.made_at for each in forecasts)
    payload = {"serial": device.serial, "made_at": _spell(made_at), "parts": parts}
    content = {part: {name: _roughly(value) for name, value in said.items()} for part, said in parts.items()}
    return Told(build_topic(device.serial, "forecast"), device.device_id, payload, content)


def _part(forecast: CurrentForecast, lead: timedelta) -> dict[str, Any]:
    dates = name_dates(forecast.dates)
    reorder_by = forecast.dates.p10 - lead if forecast.dates else None
    return {
        "consumable": forecast.consumable,
        "remaining_pct": None if forecast.remaining_pct is None else round(forecast.remaining_pct, 1),
        "threshold_pct": forecast.threshold_pct,
        **{name: _spell(at) for name, at in dates.items()},
        "reorder_by": _spell(reorder_by),
        "reason": forecast.reason,
        "reason_code": forecast.reason_code,
    }


def _spell(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _roughly(value: Any) -> Any:
    """A time without its hour."""
    return value[:10] if isinstance(value, str) and value.endswith("Z") else value
