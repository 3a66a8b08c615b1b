"""What a Xiaomi hub's own broker puts around the JSON of a message: fields, each with its length and kind before it."""

from collections.abc import Iterator

_HEAD_BYTES = 5
_PAYLOAD = 2
_KINDS = range(4)
"""A number, the topic for an answer, the payload, and from whom it is."""


def unpack(data: bytes) -> bytes:
    """The JSON in a hub's message; one that is not packed as it is."""
    if data.lstrip()[:1] in (b"{", b"["):
        return data
    payloads = [field for kind, field in _fields(data) if kind == _PAYLOAD]
    return payloads[0].rstrip(b"\0") if payloads else data


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and bytes of each field: four bytes of length, the lowest first, then one of its kind; none if it ends."""
    start = 0
    while start + _HEAD_BYTES <= len(data):
        length, kind = int.from_bytes(data[start : start + 4], "little"), data[start + 4]
        start += _HEAD_BYTES
        if kind not in _KINDS or start + length > len(data):
            return
        yield kind, data[start : start + length]
        start += length
