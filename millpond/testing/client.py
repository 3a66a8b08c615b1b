"""HTTP clients with a token, with nothing but the standard library."""

import json
import secrets
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from millpond.testing.channel import PlatformError
from millpond.testing.offers import Offers, tell_decisions

_TIMEOUT_S = 30.0


class ApiError(Exception):
    """The API answered with an error. `status` is the HTTP status, `problem` the RFC 9457 object."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status, self.problem = status, problem
        super().__init__(f"{status}: {problem.get('detail') or problem.get('title')}")


class Client:
    """Somebody who calls the API. Answers are parsed JSON; an error is an `ApiError`.

    Example: `millpond.operator.get("/v1/devices", limit=10)["items"]`.
    """

    def __init__(self, address: str, token: str) -> None:
        self.address, self.token = address, token

    def get(self, path: str, **query: Any) -> Any:
        """`GET path?query`. A name that Python reserves takes an underscore: `from_=…`."""
        asked = urllib.parse.urlencode({name.rstrip("_"): str(value) for name, value in query.items()})
        return self._call(urllib.request.Request(f"{self.address}{path}{'?' if asked else ''}{asked}"))

    def post(self, path: str, body: dict[str, Any] | None = None, *, idempotency_key: str | None = None) -> Any:
        """`POST path` with a JSON body, under a fresh idempotency key unless one is given."""
        request = urllib.request.Request(self.address + path, json.dumps(body or {}).encode(), method="POST")
        request.add_header("Content-Type", "application/json")
        request.add_header("Idempotency-Key", idempotency_key or secrets.token_hex(12))
        return self._call(request)

    def _call(self, request: urllib.request.Request) -> Any:
        request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
                return _parse(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                problem = _parse(error.read())
            raise ApiError(error.code, problem if isinstance(problem, dict) else {"detail": problem}) from None


class Customer(Client):
    """A customer's client. `id` and `name` say who it is; `operator` is asked why there is no offer."""

    def __init__(self, address: str, token: str, customer_id: str, name: str, operator: Client) -> None:
        super().__init__(address, token)
        self.id, self.name = customer_id, name
        self._operator = operator

    def offers(self) -> Offers:
        """The offers that the customer can accept now, the most urgent first; `why_none` when there is none."""
        return Offers(self.get(f"/v1/customers/{self.id}/offers")["items"], self._why_none)

    def offer(self) -> dict[str, Any]:
        """The most urgent offer; PlatformError with the reason when there is none."""
        __tracebackhide__ = True
        offers = self.offers()
        if not offers:
            raise PlatformError(f"{self.name} has no offer: {offers.why_none}")
        return offers[0]

    def _why_none(self) -> str:
        return tell_decisions(self._operator.get(f"/v1/customers/{self.id}/decisions", limit=50)["items"])

    def accept(self, offer_id: str) -> Any:
        """Accept an offer; the answer has the `offer` and the `order` that it became."""
        return self.post(f"/v1/offers/{offer_id}/accept")


class Staff(Client):
    """A staff member's client. `id`, `name` and `store_id` say who it is, and where they work."""

    def __init__(self, address: str, token: str, staff_id: str, name: str, store_id: str) -> None:
        super().__init__(address, token)
        self.id, self.name, self.store_id = staff_id, name, store_id

    def statement(self, month: str | None = None) -> Any:
        """Orders credited and commission earned in a month (`2026-03`), or in the present one."""
        return self.get(f"/v1/staff/{self.id}/statement", **({"month": month} if month else {}))


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}")
    except ValueError:
        return body.decode(errors="replace")
