"""What `millpond decode` prints of a message: one line for each item, for programs and for people."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from devices.units import step_between
from ingest.formats.lens import Lens
from ingest.formats.translate import Spoken, find_spoken
from ingest.formats.vocabulary import Entry, find_entry, read_by, vocabulary_of
from ingest.nouns import Decoded, DecodedReading
from millpond.cli.decode_reading import Read
from millpond.cli.tables import short_time

_NAMES_SHOWN = 12
# States that say whether a new part is asked for.
_ASKS = {"replace": True, "normal": False, "wash": False}
_PRODUCT_KIND = re.compile(r"\.(upc|gtin8|ean|gtin14|oem)[2-5]?$")


def to_lines(read: Read) -> list[dict[str, Any]]:
    """One mapping for each item; `kind` is reading, status, gone, rejection, passed_over, suspect or summary.

    A summary says what several values, or one of them, come to: that a part is not installed, whether it asks for a new
    one, or what replaces it.
    """
    said, vocabulary = _said(read), vocabulary_of(read.format)
    lines = [line for decoded in read.results for line in _lines_of(read, vocabulary, decoded, said)]
    lines += [*_passed_over(read), *_suspects(read)]
    return lines + list(_summaries(lines))


def _said(read: Read) -> dict[tuple[int, str], Spoken]:
    """By a saying's place and a metric, the property that it was."""
    model = read.lens.profile.model
    meanings, metrics = read.registry.speaks.get(model, {}), read.registry.metrics[model]
    return {
        (index, one.metric.name): one
        for index, saying in enumerate(read.sayings)
        for one in find_spoken(meanings, metrics, saying.values)
    }


def _lines_of(
    read: Read, vocabulary: Mapping[str, Entry], decoded: Decoded, said: Mapping[tuple[int, str], Spoken]
) -> Iterator[dict[str, Any]]:
    names = list(read.lens.profile.metrics)
    for item in decoded.readings:
        metric = names[item.reading.metric_id]
        line = {"kind": "reading", "serial": decoded.serial} | _reading(read.lens, metric, item)
        if spoken := said.get((item.index, metric)):
            line |= {"said": spoken.said, "raw": _shown(spoken.raw), "raw_unit": spoken.meaning.unit}
            line = _as_language_says(read, vocabulary, spoken, line["unit"]) | line
        yield line
    if decoded.status is not None:
        yield {"kind": "status", "serial": decoded.serial, **decoded.status.model_dump()}
    if decoded.gone is not None:
        yield {"kind": "gone", "serial": decoded.serial, **decoded.gone.model_dump(by_alias=True)}
    for rejection in decoded.rejections:
        what = {"item": rejection.item, "code": rejection.code, "reason": rejection.reason}
        yield {"kind": "rejection", "serial": decoded.serial} | what


def _reading(lens: Lens, metric: str, item: DecodedReading) -> dict[str, Any]:
    reading, profile = item.reading, lens.profile.metrics[metric]
    value: Any = reading.state if reading.value is None else reading.value
    line = {
        "seq": item.sample.seq if item.sample else None,
        "metric": metric,
        "value": bool(value) if profile.kind == "boolean" and not lens.is_model else value,
        "unit": profile.unit,
        "measured_at": reading.measured_at,
        "corrected": reading.corrected,
    }
    of = lens.parts.get(metric)
    if of is not None:
        line |= {"part": of.part, "measure": str(of.measure)}
        line |= {} if of.capacity is None else {"capacity": of.capacity}
    return line


def _as_language_says(read: Read, vocabulary: Mapping[str, Entry], spoken: Spoken, unit: str) -> dict[str, Any]:
    """Of which part a metric speaks where no profile says it: a part that is cleaned, a capacity, a product.

    A number (`4.4`) is what the language says of a name that the profile has for the same metric.
    """
    speaks = read.lens.profile.speaks.get(read.format.language, {})
    said = [spoken.said, *(name for name, other in speaks.items() if other.metric == spoken.metric.name)]
    entries = (entry for name in said if (entry := find_entry(vocabulary, name)) is not None)
    entry = next((one for one in entries if one.part and one.measure and _fits(one, unit)), None)
    if entry is None:
        return {}
    step = step_between(entry.unit, unit)
    capacity = entry.capacity * step.scale if entry.capacity and step else None
    of = {"part": entry.part, "measure": str(entry.measure)}
    return of if capacity is None else of | {"capacity": capacity}


def _fits(entry: Entry, unit: str) -> bool:
    """Whether a metric in this unit can be what the language says: hours are no percentage."""
    return not entry.unit or not unit or step_between(entry.unit, unit) is not None


def _passed_over(read: Read) -> Iterator[dict[str, Any]]:
    """What was said that is no metric of the model, with what the language itself says of it."""
    meant, vocabulary = read.lens.profile.meanings(read.format.language), vocabulary_of(read.format)
    for saying in read.sayings:
        for said, raw in saying.values.items():
            if said in meant:
                continue
            line = {"kind": "passed_over", "serial": saying.identity, "said": said, "raw": _shown(raw)}
            entry = find_entry(vocabulary, said)
            if entry is not None and (value := read_by(entry, raw)) is not None:
                line |= {"value": value, "unit": entry.unit, "part": entry.part, "measure": entry.measure}
            yield line


def _suspects(read: Read) -> Iterator[dict[str, Any]]:
    """What was said and is not believed, so that nothing of it is stored, and why."""
    vocabulary = vocabulary_of(read.format)
    for saying in read.sayings:
        for said, suspect in saying.suspects.items():
            line = {"kind": "suspect", "serial": saying.identity, "said": said, "raw": _shown(suspect.raw)}
            entry = find_entry(vocabulary, said)
            if entry is not None and (value := read_by(entry, suspect.raw)) is not None:
                line |= {"value": value, "unit": entry.unit, "part": entry.part, "measure": str(entry.measure)}
            yield line | {"suspect": suspect.why}


def _summaries(lines: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    products: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        if line.get("measure") == "in_place" and not line["value"]:
            yield _summary(line["serial"], line["part"], "not_installed", None)
        elif line.get("measure") == "state" and line["value"] in _ASKS:
            yield _summary(line["serial"], line["part"], "replace_flag", _ASKS[line["value"]])
        elif line.get("measure") == "product":
            kind = _PRODUCT_KIND.search(line["said"])
            number = f"{kind[1].upper()}:{line['value']}" if kind else str(line["value"])
            products.setdefault((line["serial"], line["part"]), []).append(number)
    for (serial, part), numbers in products.items():
        yield _summary(serial, part, "replacement_products", numbers)


def _summary(serial: str, part: str, measure: str, value: Any) -> dict[str, Any]:
    return {"kind": "summary", "serial": serial, "part": part, "measure": measure, "value": value}


def _shown(raw: Any) -> Any:
    return str(raw) if isinstance(raw, float) and not math.isfinite(raw) else raw


def to_table(model: str, lines: list[dict[str, Any]]) -> Table:
    """The lines for people to read; where they are of several devices, each says of which."""
    shown = [line for line in lines if line["kind"] not in ("passed_over", "summary")]
    serials = list(dict.fromkeys(line["serial"] for line in shown))
    table = Table(title=f"{', '.join(serials) or 'no serial'}, {model}", title_justify="left")
    device, part = ["device"] if len(serials) > 1 else [], any(line.get("part") for line in shown)
    for name in (*device, "item", "metric", "value", "unit", *(["part"] if part else []), "measured at", "outcome"):
        table.add_column(name, overflow="fold", justify="right" if name == "value" else "left")
    for line in shown:
        item, metric, value, unit, at, outcome = _cells(line)
        table.add_row(
            *(line["serial"] for _ in device), item, metric, value, unit, *([_part(line)] if part else []), at, outcome
        )
    return table


def _part(line: Mapping[str, Any]) -> str:
    if not line.get("part"):
        return ""
    of = f" of {line['capacity']:g}" if "capacity" in line else ""
    return f"{line['part']}: {line['measure'].replace('_', ' ')}{of}"


def passed_over_sentence(lines: list[dict[str, Any]]) -> str:
    """What was said and is no metric, in one sentence; empty when there is nothing."""
    names = [line["said"] for line in lines if line["kind"] == "passed_over"]
    if not names:
        return ""
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return f"said, and passed over: {', '.join(names[:_NAMES_SHOWN])}{more}"


def _cells(line: Mapping[str, Any]) -> tuple[str, str, str, str, str, str]:
    match line["kind"]:
        case "reading":
            note = "stored, at a time of ours" if line["corrected"] else "stored"
            value = line["value"] if isinstance(line["value"], str) else f"{line['value']:g}"
            item = "" if line["seq"] is None else str(line["seq"])
            return (item, line["metric"], value, line["unit"], short_time(line["measured_at"]), note)
        case "rejection":
            item, _, metric = line["item"].partition("/")
            return (item or "all", metric, "", "", "", f"{line['code']}: {line['reason']}")
        case "suspect":
            return ("", line["said"], str(line["raw"]), line.get("unit", ""), "", f"not stored: {line['suspect']}")
        case "status":
            return ("", "status", line["state"], "", "", f"the device's state, session {line['session']}")
        case _:
            return ("", "", "", "", "", f"{line['from']} to {line['to']} of boot {line['boot']} will not come")
