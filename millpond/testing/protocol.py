"""What a test suite can ask of its platform, and what it gets; both ends of the JSON lines are checked against this.

A request is a line `{"id": 1, "do": NAME, …arguments}`; its answer has the same `id`, and either `ok` or `error`, which
is a sentence. The names and arguments are the methods below, all by keyword. Moments are RFC 3339 texts.
"""

from collections.abc import Iterable
from typing import Any, NotRequired, Protocol, TypedDict


class Ready(TypedDict):
    """The first line, unasked: where everything is."""

    ready: bool
    address: str
    broker_url: str
    dsn: str
    operator_token: str
    now: str


class Now(TypedDict):
    """What time it is when a request is done."""

    now: str


class ReadingRow(TypedDict):
    """A value that a device measured, or that is stored; only what is stored can be corrected."""

    metric: str
    at: str
    value: float | bool | str
    corrected: NotRequired[bool]


class QuarantinedRow(TypedDict):
    """Something that was refused of a device; `item` is empty for a whole message."""

    item: str
    code: str
    reason: str


class Refusals(TypedDict):
    """How many items were refused, and the newest of them."""

    count: int
    last_id: int
    serial: str | None
    reason: str | None


class OutcomesRow(TypedDict):
    """What became of everything that came in."""

    received: int
    stored: int
    duplicate: int
    conflict: int
    quarantined: int


class PartLifeRow(TypedDict):
    """The truth about one part of a simulated device."""

    part: str
    installed_at: str
    threshold_at: str | None
    replaced_at: str | None


class CustomerRow(TypedDict):
    """A customer, with a token."""

    id: str
    name: str
    token: str


class StaffRow(CustomerRow):
    """A staff member, with a token, and where they work."""

    store_id: str


class RegisteredRow(TypedDict):
    """A device that the platform knows."""

    serial: str
    model: str


class DeviceOptions(TypedDict):
    """Which simulated device, how long it has lived, what is wrong with it, and how its household lives."""

    serial: str
    model: str
    seed: int
    customer_id: str
    region: str
    installed_days_ago: float
    history_days: float
    interval_s: float
    faults: str
    fault_days: float
    household: dict[str, Any]


class PlatformRequests(Protocol):
    """The clock, the jobs, the broker, and what the database holds."""

    def now(self) -> str: ...
    def advance(self, *, to: str) -> Now: ...
    def run_forecasts(self, *, at: str | None, forecaster: str) -> dict[str, Any]: ...
    def issue_offers(self, *, at: str | None) -> dict[str, Any]: ...
    def commits(self) -> int: ...
    def wait_commit(self, *, after: int, timeout_s: float) -> int: ...
    def committed(self, *, serial: str) -> list[ReadingRow]: ...
    def quarantined(self, *, serial: str) -> list[QuarantinedRow]: ...
    def refusals(self, *, after: int) -> Refusals: ...
    def outcomes(self) -> OutcomesRow: ...
    def stop_broker(self) -> None: ...
    def start_broker(self) -> None: ...


class PeopleRequests(Protocol):
    """Who is new to the platform."""

    def new_staff(self, *, currency: str, time_zone: str) -> StaffRow: ...
    def new_customer(self, *, staff_id: str | None, locale: str, time_zone: str) -> CustomerRow: ...


class FleetRequests(Protocol):
    """The devices: simulated ones, and others that are only registered."""

    def start_device(self, *, device: DeviceOptions) -> Now: ...
    def register_device(
        self, *, serial: str, model: str, region: str, customer_id: str, installed_at: str | None
    ) -> RegisteredRow: ...
    def wait_committed(self, *, timeout_s: float) -> Now: ...
    def go_offline(self, *, serial: str) -> None: ...
    def go_online(self, *, serial: str) -> Now: ...
    def restart(self, *, serial: str) -> Now: ...
    def inject(self, *, serial: str, faults: str) -> None: ...
    def measured(self, *, serial: str) -> list[ReadingRow]: ...
    def truth(self, *, serial: str, days: float) -> list[PartLifeRow]: ...
    def remove_devices(self, *, serials: list[str]) -> None: ...


class Requests(PlatformRequests, PeopleRequests, FleetRequests, Protocol):
    """Everything that can be asked."""


def request_names(requests: type[object]) -> Iterable[str]:
    """The names of the requests of one of the classes above."""
    return (name for name in vars(requests) if not name.startswith("_"))
