"""What tests of languages share: one message, and what it says."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ingest.formats.fleets import Fleets
from ingest.formats.saying import Saying
from ingest.formats.shipped import make_formats
from ingest.nouns import Delivery, Lane

AT = datetime(2026, 2, 16, 12, tzinfo=UTC)


def made(
    topic: str, payload: object, described: Mapping[str, bytes] | None = None, *, retained: bool = False
) -> Delivery:
    """A message; anything but bytes and text is written as JSON."""
    raw = (
        payload
        if isinstance(payload, bytes)
        else (payload if isinstance(payload, str) else json.dumps(payload)).encode()
    )
    return Delivery(topic, raw, AT, Lane.LIVE, 1, 1, 1, retained=retained, described=described)


def say(
    topic: str, payload: object, described: Mapping[str, bytes] | None = None, fleets: Fleets = Fleets()
) -> list[Saying]:
    """What a message says, by the format that reads its topic."""
    one = make_formats(fleets).reading(topic)
    assert one is not None, f"nobody reads {topic}"
    assert one.parse is not None
    return list(one.parse(made(topic, payload, described), described or {}))


def say_one(topic: str, payload: object, **known: Any) -> Saying:
    """The one thing that a message says."""
    [saying] = say(topic, payload, **known)
    return saying


def described_by(topic: str, payload: object, before: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """What is known once a message was heard: what was before it, and what it describes."""
    one = make_formats().reading(topic)
    assert one is not None
    assert one.describing is not None
    known = dict(before or {})
    delivery = made(topic, payload, known)
    known.update({key: description.body for key, description in one.describing.describes(delivery).items()})
    return {key: body for key, body in known.items() if body}
