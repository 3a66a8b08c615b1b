"""Recorded messages: lines with topic and payload as `mosquitto_sub -F '%j'` prints them, or a payload alone."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ingest.nouns import Delivery, Lane
from millpond.kernel.errors import InvalidInput

_FILE_MAX_BYTES = 268_435_456
_STEP = timedelta(seconds=1)
_ZONE = re.compile(r"([+-]\d\d)(\d\d)$")


def read_recording(path: Path, topic: str, at: datetime) -> Iterator[Delivery]:
    """The messages of a file, in its order; a file that is no recording is one payload, published to `topic`.

    A line's own time counts (`tst`), else it came a second after the one before, the first at `at`. InvalidInput names
    the file when it cannot be read, or is a payload and no topic is given.
    """
    try:
        if path.stat().st_size > _FILE_MAX_BYTES:
            raise InvalidInput(f"{path} has more than {_FILE_MAX_BYTES:,} bytes: take a part of the recording")
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from error
    recorded = [_read_line(line) for line in content.splitlines() if line.strip()]
    if not recorded or None in recorded:
        if not topic:
            raise InvalidInput(f"{path} is no recording (lines of topic and payload): say --topic or --format")
        yield _deliver(topic, content, at)
        return
    for line in filter(None, recorded):
        at = _read_time(line.get("tst")) or at + _STEP
        yield _deliver(str(line["topic"]), _read_payload(line["payload"]), at, retained=bool(line.get("retain")))


def _deliver(topic: str, payload: bytes, at: datetime, *, retained: bool = False) -> Delivery:
    return Delivery(topic, payload, at, Lane.LIVE, 0, 1, 0, retained=retained)


def _read_line(line: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(line)
    except ValueError:
        return None
    is_message = isinstance(content, dict) and {"topic", "payload"} <= content.keys()
    return content if is_message else None


def _read_payload(raw: Any) -> bytes:
    """The bytes: `%j` writes a text, `%J` and people write what the text holds."""
    return raw.encode() if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False).encode()


def _read_time(raw: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(_ZONE.sub(r"\1:\2", raw.replace("Z+", "+"))) if isinstance(raw, str) else None
    except ValueError:
        return None
    return None if time is None else time.replace(tzinfo=time.tzinfo or UTC)
