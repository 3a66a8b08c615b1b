"""Printers over SNMP: Brother's own counters, and the supplies of the Printer-MIB that every maker's printer has.

Read are the values under the names that Brother's printers are known by (`black_toner_remaining`,
`drum_remaining_life`, `page_counter`, …), and the raw answer by object numbers, of which the same names are made.
"""

from collections.abc import Mapping, Sequence

from ingest.formats.brother.maintenance import model_of, read_maintenance
from ingest.formats.brother.printer_mib import read_supplies
from ingest.formats.json_values import bridged, flatten, read_json, require_object
from ingest.formats.saying import Saying
from ingest.nouns import Delivery


def parse(delivery: Delivery, _described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What a message says: one saying; ValueError when it is no object."""
    content = require_object(read_json(delivery.payload), "the payload")
    content = content["sensors"] if isinstance(content.get("sensors"), dict) else content
    by_number = {key.lstrip("."): value for key, value in content.items() if key.lstrip(".").startswith("1.3.6.1.")}
    named = {key: value for key, value in content.items() if key.lstrip(".") not in by_number}
    values = {
        **dict(flatten(named)),
        **dict(read_supplies({**content, **by_number})),
        **dict(read_maintenance(by_number)),
    }
    model = content.get("model") or model_of(by_number)
    return [Saying(bridged(delivery), values, model=model if isinstance(model, str) else "")]
