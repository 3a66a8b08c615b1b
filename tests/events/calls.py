"""Calls of Segment's tracking API as its clients write them."""

import json
from datetime import datetime
from typing import Any

from tests.people import AT


def track(
    message_id: str, name: str, properties: dict[str, Any] | None = None, *, login: str | None = None, at: datetime = AT
) -> dict[str, Any]:
    """A track call; without a login it is of an anonymous id."""
    who = {"userId": login} if login else {"anonymousId": "a-1"}
    said = {"type": "track", "messageId": message_id, "event": name, "properties": properties or {}}
    return said | who | {"timestamp": at.isoformat()}


def batch(*calls: dict[str, Any] | bytes) -> bytes:
    """A body of `/v1/batch`; a call may be given as its bytes."""
    raws = [call if isinstance(call, bytes) else json.dumps(call).encode() for call in calls]
    return b'{"batch":[' + b",".join(raws) + b"]}"
