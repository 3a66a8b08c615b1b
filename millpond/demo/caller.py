"""A caller of the demo's own API, with nothing but the standard library."""

import json
import urllib.error
import urllib.request
from typing import Any

from millpond.kernel.errors import Unavailable
from millpond.kernel.ids import new_id


class Caller:
    """Calls the API at `address` with one token."""

    def __init__(self, address: str, token: str) -> None:
        self._address, self._token = address, token

    def get(self, path: str) -> Any:
        """The JSON answer; Unavailable with the problem's sentence when it is an error."""
        return self._call(urllib.request.Request(self._address + path))

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Write under a fresh idempotency key."""
        request = urllib.request.Request(self._address + path, json.dumps(body or {}).encode(), method="POST")
        request.add_header("Content-Type", "application/json")
        request.add_header("Idempotency-Key", new_id("demo"))
        return self._call(request)

    def _call(self, request: urllib.request.Request) -> Any:
        request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            problem = json.loads(error.read() or b"{}")
            raise Unavailable(f"{request.full_url} answered {error.code}: {problem.get('detail')}") from error
