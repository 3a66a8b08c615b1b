"""What is told."""

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Told:
    """A retained message: to which topic, of which device, and what it says.

    It is told again only when `content` changes; `payload` may say it more finely.
    """

    topic: str
    device_id: int
    payload: dict[str, Any]
    content: Any

    @property
    def digest(self) -> bytes:
        """What is kept of the content."""
        return hashlib.sha256(orjson.dumps(self.content, option=orjson.OPT_SORT_KEYS)).digest()

    @property
    def spelt(self) -> bytes:
        """The payload as JSON."""
        return orjson.dumps(self.payload)
