"""The running platform, as a test sees it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from millpond.testing.channel import Channel, PlatformError
from millpond.testing.client import Client, Customer, Staff
from millpond.testing.protocol import Refusals
from millpond.testing.rows import Outcomes


class Millpond:
    """A whole platform in a process of its own: database, broker, ingest, API, and a clock that the test moves.

    Its time stands still until a test advances it, and then it never goes back. Jobs run when a test runs them.
    """

    def __init__(self, seed: int, start: str, log: Path) -> None:
        __tracebackhide__ = True
        self.channel = Channel([f"--start={start}"], log)
        self._host = self.channel.host
        self.seed = seed
        self.address = self.channel.description["address"]
        """Where the API and the pages are: `http://127.0.0.1:…`."""
        self.broker_url = self.channel.description["broker_url"]
        """Where devices publish: `mqtt://127.0.0.1:…`."""
        self.dsn = self.channel.description["dsn"]
        """The platform's database, for whatever the API does not tell."""
        self.operator = Client(self.address, self.channel.description["operator_token"])
        """A client that may see and do what an operator may."""

    @property
    def now(self) -> datetime:
        """What time it is on the platform, in UTC. Your own device takes its timestamps from here."""
        return datetime.fromisoformat(self._host.now())

    def advance(self, *, to: datetime | None = None, days: float = 0, hours: float = 0, minutes: float = 0) -> datetime:
        """Let time pass, to a moment or by a span; simulated devices measure and publish meanwhile.

        On return everything that devices online measured is committed. Returns the new time.
        """
        moment = to or self.now + timedelta(days=days, hours=hours, minutes=minutes)
        return datetime.fromisoformat(self._host.advance(to=moment.isoformat())["now"])

    def run_forecasts(self, at: datetime | None = None, *, forecaster: str = "auto") -> dict[str, Any]:
        """Run the forecast job as of `at` (now); returns its summary: `installations`, `forecasts`, `methods`, ….

        `forecaster="fixed"` does without Prophet, which takes seconds to start once a fleet has weeks of history.
        """
        return self._host.run_forecasts(at=_text(at), forecaster=forecaster)

    def issue_offers(self, at: datetime | None = None) -> dict[str, Any]:
        """Run the offers job as of `at` (now); returns its summary."""
        return self._host.issue_offers(at=_text(at))

    def outcomes(self) -> Outcomes:
        """What became of everything that came in since the session began."""
        return Outcomes(**self._host.outcomes())

    def wait_until(self, condition: Callable[[], object], *, timeout_s: float = 30) -> None:
        """Return when `condition()` is true: it is asked again after each commit.

        PlatformError when time is up, with what was refused meanwhile and why.
        """
        __tracebackhide__ = True
        deadline, before = time.monotonic() + timeout_s, self._host.refusals(after=0)["last_id"]
        while True:
            commits = self._host.commits()
            if condition():
                return
            left = deadline - time.monotonic()
            if left <= 0:
                refused = tell_refusals(self._host.refusals(after=before))
                raise PlatformError(f"waited {timeout_s:g} s and {commits} commits, but it did not come true{refused}")
            self._host.wait_commit(after=commits, timeout_s=left)

    def new_staff(self, *, currency: str = "EUR", time_zone: str = "UTC") -> Staff:
        """A staff member in a new shop, beside the one of the fixture `staff`."""
        made = self._host.new_staff(currency=currency, time_zone=time_zone)
        return Staff(self.address, made["token"], made["id"], made["name"], made["store_id"])

    def new_customer(self, staff: Staff | None = None, *, locale: str = "en", time_zone: str = "UTC") -> Customer:
        """A customer, who scanned that staff member's badge when one is named."""
        bound_to = staff.id if staff else None
        made = self._host.new_customer(staff_id=bound_to, locale=locale, time_zone=time_zone)
        return Customer(self.address, made["token"], made["id"], made["name"], self.operator)

    @contextmanager
    def broker_down(self) -> Iterator[None]:
        """The broker is away inside `with`, and is back at the same address after it (only an embedded one can)."""
        self._host.stop_broker()
        try:
            yield
        finally:
            self._host.start_broker()


def tell_refusals(refusals: Refusals) -> str:
    """What was refused, as the end of a sentence; nothing when nothing was."""
    if not refusals["count"]:
        return ""
    counted = "an item was" if refusals["count"] == 1 else f"{refusals['count']} items were"
    return f"; {counted} refused meanwhile, the last of {refusals['serial']}: {refusals['reason']}"


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
