"""What the product number on a Xiaomi filter's chip says of its kind."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_PRODUCT = re.compile(r"\d+:\d+:([0-9a-fA-F]{1,2}):([0-9a-fA-F]{1,2})")
_KINDS = {("41", "30"): "anti-bacterial", ("30", "31"): "anti-formaldehyde", ("0", "31"): "anti-formaldehyde"}


def cartridge_types(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """For each property that is such a number (`0:0:41:30`) one more, with `.type` after its name."""
    for name, value in values.items():
        match = _PRODUCT.fullmatch(value) if isinstance(value, str) else None
        if match is not None:
            kind = (match[1].lstrip("0") or "0", match[2].lstrip("0") or "0")
            yield f"{name}.type", _KINDS.get(kind, "regular")
