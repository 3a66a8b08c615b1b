"""What chip-tool writes of the attributes that it reads: lines of a log, each value below its path."""

import re
from typing import Any

from ingest.formats.json_values import as_number

_COLOUR = re.compile(r"\x1b\[[0-9;]{0,16}m")
_PATH = re.compile(r"Endpoint: (\d{1,5}) Cluster: 0x([0-9A-F_]{4,9}) Attribute 0x([0-9A-F_]{4,9})")
_VALUE = re.compile(r"(?:\[[A-Z]+\]|CHIP:[A-Z]+:|^)\s*([A-Za-z]{1,40}): (.{0,256})$")
_KINDS, _NUMBERS = "ProductIdentifierType", "ProductIdentifierValue"
_WORDS = {"TRUE": True, "FALSE": False, "null": None}


def is_log(payload: bytes) -> bool:
    """Whether a payload is such a log."""
    return payload[:1] not in (b"{", b'"') and b"Endpoint:" in payload and b"Cluster: 0x" in payload


def read_log(payload: bytes) -> list[dict[str, Any]]:
    """The attributes of a log as chip-tool's socket reports them."""
    reports: list[dict[str, Any]] = []
    for line in _COLOUR.sub("", payload.decode(errors="replace")).splitlines():
        if path := _PATH.search(line):
            endpoint, cluster, attribute = int(path[1]), _number(path[2]), _number(path[3])
            reports.append({"endpointId": endpoint, "clusterId": cluster, "attributeId": attribute})
        elif reports and (value := _VALUE.search(line.rstrip())):
            _add(reports[-1], value[1], value[2].strip())
    return [report for report in reports if "value" in report]


def _number(text: str) -> int:
    return int(text.replace("_", "") or "0", 16)


def _add(report: dict[str, Any], name: str, text: str) -> None:
    products = report.get("value")
    if name == _KINDS:
        report["value"] = products = products if isinstance(products, list) else []
        products.append({"productIdentifierType": _word(text)})
    elif name == _NUMBERS and isinstance(products, list):
        products[-1]["productIdentifierValue"] = text
    elif "value" not in report:
        report["value"] = _word(text)


def _word(text: str) -> Any:
    """A value; what it is called may stand behind it (`2 (EAN)`)."""
    return _WORDS[text] if text in _WORDS else as_number(text.partition(" ")[0])
