"""The facts behind an offer, in the form in which they are kept with it and its decision, and shown in API bodies."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, assert_never

from devices.depletion import read_dates
from millpond.kernel.ids import Sku
from millpond.kernel.language import Names
from offers.causes import Cause, DeviceInUse, NewDevice, PartForecast, WornPart
from offers.nouns import Trigger

_NO_PART: dict[str, Any] = {"part": None, "depletion": None}
_NO_EDGE: dict[str, Any] = {"relation": None, "evidence": None, "condition": None}


@dataclass(frozen=True, slots=True)
class Promise:
    """What an offer said of its delivery: how long it takes, and whether a reply by `reply_by` is early enough."""

    delivery_days: int
    in_time: bool


@dataclass(frozen=True, slots=True)
class ReasonFacts:
    """What an offer or a decision is told from. `promise` is an offer's; `product` is None where nobody sells it."""

    product: Names | None
    cause: Cause
    promise: Promise | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a trigger says of an offer: the key of its words, and what goes into them."""

    why: str
    names: dict[str, Names] = field(default_factory=dict)
    days: dict[str, datetime] = field(default_factory=dict)
    plain: dict[str, str] = field(default_factory=dict)


def keep_facts(sku: Sku, facts: ReasonFacts) -> dict[str, Any]:
    """As JSON: names by language, moments in RFC 3339. All triggers have the same keys, null where not their own."""
    device = facts.cause.device
    kept = {
        "sku": sku,
        "product": facts.product,
        "serial": device.serial,
        "device": device.names,
        "device_installed_at": device.installed_at,
        **_keep_cause(facts.cause),
    }
    return kept if facts.promise is None else kept | keep_promise(facts.promise)


def keep_promise(promise: Promise) -> dict[str, Any]:
    """What an offer has beside the facts of its decision."""
    return {"delivery_days": promise.delivery_days, "in_time": promise.in_time}


def _keep_cause(cause: Cause) -> dict[str, Any]:
    match cause:
        case WornPart():
            return {"part": cause.part_names, "depletion": _keep_forecast(cause.forecast), **_NO_EDGE}
        case NewDevice():
            edge = {"relation": cause.relation, "evidence": cause.evidence, "condition": cause.condition}
            return {**_NO_PART, **edge}
        case _:
            assert_never(cause)


def _keep_forecast(forecast: PartForecast) -> dict[str, Any]:
    dates = forecast.dates
    return {
        "at": forecast.at,
        "method": forecast.method,
        "reason": forecast.reason,
        "reason_code": forecast.reason_code,
        "remaining_pct": forecast.remaining_pct,
        "threshold_pct": forecast.threshold_pct,
        "p10": dates.p10 if dates else None,
        "p50": dates.p50 if dates else None,
        "p90": dates.p90 if dates else None,
    }


def read_facts(trigger: Trigger, kept: dict[str, Any]) -> ReasonFacts:
    """What `keep_facts` kept."""
    promise = Promise(kept["delivery_days"], kept["in_time"]) if "delivery_days" in kept else None
    return ReasonFacts(kept["product"], _read_cause(trigger, kept), promise)


def _read_cause(trigger: Trigger, kept: dict[str, Any]) -> Cause:
    device = DeviceInUse(kept["serial"], kept["device"], datetime.fromisoformat(kept["device_installed_at"]))
    match trigger:
        case Trigger.DEPLETION:
            return WornPart(device, kept["part"], _read_forecast(kept["depletion"]))
        case Trigger.NEW_DEVICE:
            return NewDevice(device, kept["relation"], kept["evidence"], kept["condition"])
        case _:
            assert_never(trigger)


def _read_forecast(kept: dict[str, Any]) -> PartForecast:
    return PartForecast(
        at=datetime.fromisoformat(kept["at"]),
        method=kept["method"],
        reason=kept["reason"],
        # Not in what was kept before forecasts told a doubt.
        reason_code=kept.get("reason_code"),
        remaining_pct=kept["remaining_pct"],
        threshold_pct=kept["threshold_pct"],
        dates=read_dates(*(_read_date(kept[name]) for name in ("p10", "p50", "p90"))),
    )


def _read_date(kept: str | None) -> datetime | None:
    return datetime.fromisoformat(kept) if kept else None
