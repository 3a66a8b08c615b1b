"""What the platform knows of a fleet, asked through its HTTP API as an operator."""

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException
from statistics import median
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from millpond.kernel.clock import monotonic
from millpond.kernel.errors import InvalidInput, Unavailable
from simulators.life.wear import PartCycle
from simulators.runs.fleet import Fleet
from simulators.runs.summary import FleetSummary
from simulators.scenarios.expectations import PlatformFindings

_TIMEOUT_S = 20
_ASK_EVERY_S = 0.5
_OUTCOME = re.compile(r'^millpond_ingest_readings_total\{outcome="(\w+)"\} (\S+)$', re.MULTILINE)
# A replacement is seen in the first reading after it, and dated no better.
_SAME_REPLACEMENT = timedelta(days=2)
_AHEAD = timedelta(days=500)


class PlatformApi:
    """The API at `url`, as the owner of `token`, an operator. Raises Unavailable when it does not answer or refuses."""

    def __init__(self, url: str, token: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise InvalidInput(f"--api {url!r} does not begin with http:// or https://")
        self._url, self._token = url.rstrip("/"), token

    def get(self, path: str) -> Any:
        """The JSON at `path`."""
        return json.loads(self._ask("GET", path))

    def get_all(self, path: str) -> Iterator[Any]:
        """The items of all pages at `path`."""
        cursor = ""
        while cursor is not None:
            page = self.get(f"{path}?limit=200{cursor and '&cursor=' + quote(cursor)}")
            yield from page["items"]
            cursor = page["next_cursor"]

    def outcomes(self) -> Counter[str]:
        """What became of all metric values that ever came in, by outcome."""
        page = self._ask("GET", "/metrics").decode()
        return Counter({name: int(float(count)) for name, count in _OUTCOME.findall(page)})

    def register(self, fleet: Fleet) -> int:
        """Register the households and devices that the platform does not know yet; how many devices those were."""
        known = {device["serial"] for device in self.get_all("/v1/devices")}
        missing = [row for row in fleet.manifest if row.serial not in known]
        owners = self._register_owners({row.customer for row in missing if row.customer})
        for row in missing:
            body = {
                "serial": row.serial,
                "model": row.model,
                "region": row.region,
                "installed_at": row.installed_at.isoformat(),
                "customer_id": owners.get(row.customer),
            }
            self._ask("POST", "/v1/devices", body, key=row.serial)
        return len(missing)

    def _register_owners(self, households: set[str]) -> dict[str, str]:
        """The customer of each household, by the household's key."""
        owners = {each["external_key"]: each["customer_id"] for each in self.get_all("/v1/customers")}
        for household in sorted(households - owners.keys()):
            body = {"external_key": household, "name": household}
            owners[household] = json.loads(self._ask("POST", "/v1/customers", body, key=household))["customer_id"]
        return owners

    def _ask(self, method: str, path: str, body: object = None, key: str = "") -> bytes:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = f"simulate-{key}"
        payload = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, payload, headers, method=method)
        try:
            with urlopen(request, timeout=_TIMEOUT_S) as answer:
                return bytes(answer.read())
        except HTTPError as error:
            with error:
                raise Unavailable(f"the platform answered {path} with {error.code}: {_detail(error)}") from error
        except (OSError, HTTPException, ValueError) as error:
            raise Unavailable(f"the platform at {self._url} cannot be asked: {error}") from error


def count_refused(summary: FleetSummary, *, stored: int, conflict: int, quarantined: int) -> int:
    """Of what lies in quarantine after a run, what should have become readings.

    Bad copies that faults send lie there too, each with one item or several; but then the good ones were stored. A
    firmware that tells another unit is refused by design.
    """
    missing = summary.readings - summary.readings_unacked - stored - conflict - summary.faults.get("unit_change", 0)
    return min(quarantined, max(0, missing))


def wait_for_outcomes(
    api: PlatformApi, before: Counter[str], summary: FleetSummary, patience_s: float, stop: threading.Event
) -> Counter[str]:
    """What became of a run's values, once all that was acknowledged is counted, or when patience ends."""
    deadline = monotonic() + patience_s
    while True:
        during = api.outcomes()
        during.subtract(before)
        if is_counted(summary, during.total()) or monotonic() >= deadline or stop.wait(_ASK_EVERY_S):
            return during


def is_counted(summary: FleetSummary, received: int) -> bool:
    """Whether the platform has counted all that it acknowledged: of a message refused as a whole it counts one item."""
    return received >= min(summary.readings - summary.readings_unacked, summary.messages_published)


@dataclass(frozen=True, slots=True)
class TruthOfPart:
    """What truly happened, and will, to the parts in one place of a device."""

    cycles: list[PartCycle]

    def depletion_after(self, at: datetime) -> datetime | None:
        """When the part that is there at `at` truly passes its threshold."""
        for cycle in self.cycles:
            if cycle.installed_at <= at and (cycle.replaced_at is None or at < cycle.replaced_at):
                return cycle.threshold_at
        return None

    def replaced_near(self, at: datetime) -> bool:
        """Whether a part was truly replaced about then."""
        return any(c.replaced_at and abs(c.replaced_at - at) <= _SAME_REPLACEMENT for c in self.cycles)


Truths = dict[tuple[str, str], TruthOfPart]


def foresee_truths(fleet: Fleet, at: datetime) -> Truths:
    """The truth by serial and part, also of the months after `at`. The fleet cannot go on after that."""
    truths: dict[tuple[str, str], list[PartCycle]] = {}
    for device in fleet.devices:
        for cycle in device.foresee(at + _AHEAD):
            truths.setdefault((device.serial, cycle.part), []).append(cycle)
    return {key: TruthOfPart(cycles) for key, cycles in truths.items()}


def find_out(api: PlatformApi, fleet: Fleet, truths: Truths, before: Counter[str]) -> PlatformFindings:
    """What the platform says of the fleet now; `before` are the outcomes before the run."""
    during = api.outcomes()
    during.subtract(before)
    details = [api.get(f"/v1/devices/{quote(device.serial)}") for device in fleet.devices]
    replaced = [
        _is_true(detail["serial"], part, truths)
        for detail in details
        for part in detail["installations"]
        if part["ended_at"]
    ]
    errors, dated = [], 0
    for device in fleet.devices:
        for forecast in api.get(f"/v1/devices/{quote(device.serial)}/forecasts")["items"]:
            dated += forecast["depletes_p50"] is not None
            errors += _error_days(device.serial, forecast, truths)
    return PlatformFindings(
        stored=during["stored"],
        duplicate=during["duplicate"],
        conflict=during["conflict"],
        quarantined=during["quarantined"],
        replacements_true=sum(replaced),
        replacements_false=len(replaced) - sum(replaced),
        forecasts=dated,
        forecast_error_days_p50=round(median(errors), 2) if errors else None,
        offers=_count_offers(api, {detail["customer_id"] for detail in details} - {None}),
    )


def _is_true(serial: str, installation: Any, truths: Truths) -> bool:
    truth = truths.get((serial, installation["part"]))
    return truth is not None and truth.replaced_near(datetime.fromisoformat(installation["ended_at"]))


def _error_days(serial: str, forecast: Any, truths: Truths) -> list[float]:
    """How far the forecast is from the truth, in days; nothing when either has no date."""
    truth, told = truths.get((serial, forecast["part"])), forecast["depletes_p50"]
    true_at = truth.depletion_after(datetime.fromisoformat(forecast["at"])) if truth else None
    if told is None or true_at is None or true_at < datetime.fromisoformat(forecast["at"]):
        return []
    return [abs(datetime.fromisoformat(told) - true_at) / timedelta(days=1)]


def _count_offers(api: PlatformApi, customers: set[str]) -> int:
    return sum(1 for customer in sorted(customers) for _ in api.get_all(f"/v1/customers/{quote(customer)}/offers"))


def _detail(error: HTTPError) -> str:
    try:
        return str(json.loads(error.read(10_000))["detail"])
    except (ValueError, KeyError, TypeError, OSError):
        return error.reason
