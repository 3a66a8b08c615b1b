"""An edge node of Sparkplug B as tests need one: payloads on the wire, and what ingest remembers of it."""

from collections.abc import Sequence
from typing import Any

from ingest.formats.saying import Saying
from ingest.formats.sparkplug import describes, parse
from ingest.formats.sparkplug.schema import payload_class
from ingest.nouns import Delivery, Lane
from tests.ingest.fleets.speaking import AT

AT_MS = int(AT.timestamp() * 1000)
_FIELDS = {9: "float_value", 10: "double_value", 11: "boolean_value", 12: "string_value", 14: "string_value"}
_LONG = (4, 8, 13)


def metric(name: str = "", value: Any = None, datatype: int = 10, **fields: Any) -> dict[str, Any]:
    """A metric; `alias`, `timestamp` and the like are its fields, and a datatype of 0 leaves its type out."""
    field = _FIELDS.get(datatype, "long_value" if datatype in _LONG else "int_value")
    said: dict[str, Any] = {"name": name} if name else {}
    if datatype:
        said["datatype"] = datatype
    return said | ({} if value is None else {field: value}) | fields


def encode(metrics: Sequence[dict[str, Any]], seq: int | None = None, timestamp: int = AT_MS) -> bytes:
    """A payload on the wire."""
    payload = payload_class()(timestamp=timestamp, metrics=metrics)
    if seq is not None:
        payload.seq = seq
    encoded: bytes = payload.SerializeToString()
    return encoded


class EdgeNode:
    """One that says what a test wants, and what ingest remembers of it."""

    def __init__(self) -> None:
        self.known: dict[str, bytes] = {}
        self.seq = 0

    def say(
        self, what: str, *metrics: dict[str, Any], seq: int | None = None, redelivered: bool = False
    ) -> list[Saying]:
        """What a message says; `what` is as `DDATA/pump`, and its number the next one unless it is given."""
        kind, _, device = what.partition("/")
        self.seq = (0 if kind == "NBIRTH" else (self.seq + 1) % 256) if seq is None else seq
        topic = f"spBv1.0/G/{kind}/E" + (f"/{device}" if device else "")
        payload = encode(metrics, None if kind == "NDEATH" else self.seq)
        return self.hear(
            Delivery(topic, payload, AT, Lane.LIVE, 1, 1, 1, redelivered=redelivered, described={**self.known})
        )

    def hear(self, delivery: Delivery) -> list[Saying]:
        """What ingest makes of a message, and remembers."""
        sayings = list(parse(delivery, delivery.described or {}))
        self.known |= {key: description.body for key, description in describes(delivery).items()}
        self.known = {key: body for key, body in self.known.items() if body}
        return sayings
