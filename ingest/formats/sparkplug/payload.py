"""What a Sparkplug B payload says, on the wire or as tools show it in JSON; and the one that we send."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ingest.formats.json_values import read_json, require_object
from ingest.formats.sparkplug.datatypes import datatype_of, read_value
from ingest.formats.sparkplug.schema import VALUES, payload_class

REBIRTH = b"Node Control/Rebirth"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a payload: by name, by alias or by both. `raw` is as it came, `at` in milliseconds.

    `datatype` is 0 where the message does not say it; `raw` is None when there is no value, or one that is not read.
    """

    name: str
    alias: int | None
    at: int | None
    datatype: int
    raw: Any

    def value(self, datatype: int) -> Any:
        """The value, of a type that a birth may have told."""
        return read_value(self.raw, self.datatype or datatype)


@dataclass(frozen=True, slots=True)
class Payload:
    """A message: its number in the session of its edge node, None where it has none, and its metrics."""

    seq: int | None
    metrics: tuple[Metric, ...]

    def named(self, name: str) -> Any:
        """The value of the first metric of this name, None when there is none."""
        return next((metric.raw for metric in self.metrics if metric.name == name), None)


def read_payload(payload: bytes) -> Payload:
    """A payload; ValueError when it is neither protobuf nor JSON of such a one."""
    # No payload on the wire begins so: it would be the end of a group that protobuf never wrote here.
    return _from_json(payload) if payload.lstrip()[:1] == b"{" else _from_wire(payload)


def build_rebirth(at_ms: int) -> bytes:
    """The command that asks an edge node to say again what all of its metrics are."""
    # Written by hand, so that what tools show in JSON is read without protobuf, too: the name, the time, and true.
    at = _varint(at_ms)
    metric = b"\x0a" + _varint(len(REBIRTH)) + REBIRTH + b"\x18" + at + b"\x20\x0b\x70\x01"
    return b"\x08" + at + b"\x12" + _varint(len(metric)) + metric


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def _from_wire(encoded: bytes) -> Payload:
    payload = payload_class()()
    try:
        payload.ParseFromString(encoded)
    except Exception as error:  # protobuf's own error is none of Python's, and it is not loaded before it is needed.
        raise ValueError(f"the payload is not Sparkplug B: {error}") from None
    at = payload.timestamp if payload.HasField("timestamp") else None
    return Payload(
        payload.seq if payload.HasField("seq") else None, tuple(_metric(metric, at) for metric in payload.metrics)
    )


def _metric(metric: Any, at: int | None) -> Metric:
    filled = next((field for field in VALUES if metric.HasField(field)), None)
    if isinstance(metric.name, bytes) or isinstance(metric.string_value, bytes):
        raise ValueError("the payload has a text that is not UTF-8")
    return Metric(
        metric.name,
        metric.alias if metric.HasField("alias") else None,
        metric.timestamp if metric.HasField("timestamp") else at,
        metric.datatype,
        None if filled is None or metric.is_null else getattr(metric, filled),
    )


def _from_json(text: bytes) -> Payload:
    content = require_object(read_json(text), "the payload")
    metrics = content.get("metrics")
    at = _whole(content.get("timestamp"))
    found = [one for one in metrics if isinstance(one, dict)] if isinstance(metrics, list) else []
    return Payload(_whole(content.get("seq")), tuple(_metric_of_json(one, at) for one in found))


def _metric_of_json(one: Mapping[str, Any], at: int | None) -> Metric:
    spelt = {key.replace("_", "").casefold(): value for key, value in one.items()}
    raw = next((spelt[key] for key in _value_keys() if spelt.get(key) is not None), None)
    name, stamp = spelt.get("name"), _whole(spelt.get("timestamp"))
    return Metric(
        name if isinstance(name, str) else "",
        _whole(spelt.get("alias")),
        at if stamp is None else stamp,
        datatype_of(spelt.get("datatype")),
        None if spelt.get("isnull") is True or isinstance(raw, dict | list) else raw,
    )


def _value_keys() -> Iterator[str]:
    yield "value"
    yield from (field.replace("_", "") for field in VALUES)


def _whole(raw: Any) -> int | None:
    return raw if isinstance(raw, int) and not isinstance(raw, bool) and raw >= 0 else None
