"""Printers over SNMP: Brother's own counters, and the supplies of the Printer-MIB that every maker's printer has.

Read are the values under the names that Brother's printers are known by (`black_toner_remaining`,
`drum_remaining_life`, `page_counter`, …), and the raw answer by object numbers, of which the same names are made.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ingest.formats.brother.maintenance import model_of, read_maintenance
from ingest.formats.brother.printer_mib import read_supplies
from ingest.formats.json_values import as_number, bridged, flatten, read_json, require_object
from ingest.formats.saying import Saying
from ingest.nouns import Delivery

_AROUND = ("sensors", "data")


def parse(delivery: Delivery, _described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What a message says: one saying; ValueError when it is no object."""
    content = require_object(read_json(delivery.payload), "the payload")
    content = next((content[key] for key in _AROUND if isinstance(content.get(key), dict)), content)
    by_number = {key.lstrip("."): value for key, value in content.items() if key.lstrip(".").startswith("1.3.6.1.")}
    named = {key: value for key, value in content.items() if key.lstrip(".") not in by_number}
    values = {
        **{name: _percent(value) for name, value in flatten(named)},
        **dict(read_supplies({**content, **by_number})),
        **dict(read_maintenance(by_number)),
    }
    model = content.get("model") or model_of(by_number)
    return [Saying(bridged(delivery), values, model=model if isinstance(model, str) else "")]


def _percent(value: Any) -> Any:
    """A level may come with its sign (`75%`)."""
    return as_number(value.rstrip(" %")) if isinstance(value, str) and value.endswith("%") else value
