"""A proposal as the text of a profile: valid, with a comment wherever a person must decide."""

from collections.abc import Iterator, Mapping
from typing import Any

from devices.nouns import MetricKind
from devices.profile import DeviceProfile
from devices.profile_text import flow
from ingest.proposals.guessing import Guess
from ingest.proposals.proposing import Limit, Proposal, kind_words, numbers_of
from millpond.kernel.yaml_file import read_yaml

_NAMES_SHOWN = 12
_LIVES = {"main_brush": 300, "side_brush": 180, "mop": 90, "toner": 300, "ink": 180, "battery": 365, "filter": 180}
_CONSUMABLES = {"main_brush": "generic-main-brush", "side_brush": "generic-side-brush", "mop": "generic-mop"}
_CATEGORIES = {
    "main_brush": "robot_vacuum",
    "side_brush": "robot_vacuum",
    "toner": "printer",
    "ink": "printer",
    "hepa": "air_purifier",
    "filter": "air_purifier",
}


def write_proposal(proposal: Proposal, model: str) -> str:
    """The profile's text. It can be read: what is unknown has a value that a comment asks to look at."""
    text = "\n".join(_lines(proposal, model)) + "\n"
    read_yaml(DeviceProfile, text, "the proposal")
    return text


def _lines(proposal: Proposal, model: str) -> Iterator[str]:
    device, (first, last) = proposal.device, proposal.device.span
    sender = _printable(device.identity) or "one device"
    yield f"# Proposed from {device.messages:,} messages of {device.format.language} that {sender} sent"
    yield f"# from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}. Look at each line with DECIDE: you know better."
    yield _decide(f"model: {flow(model)}", "the model's name: what devices are registered as")
    shown = flow(device.model or model)
    yield _decide(f"name: {{en: {shown}, ko: {shown}, zh: {shown}}}", "what people call it")
    yield _decide(f"category: {_category(proposal)}", "what it is")
    if device.model and device.model != model:
        yield f"also: [{flow(device.model)}]"
    yield "metrics:" if proposal.guesses else "metrics: {}"
    for name, one in proposal.guesses.items():
        yield _with_notes(f"  {flow(name)}: {flow(kind_words(one))}", _what_was_seen(one), one.decide)
    if proposal.parts:
        yield "parts:"
    for part, limits in proposal.parts.items():
        yield from _part(part, limits)
    if device.format.parse is not None and proposal.guesses:
        yield "speaks:"
        yield f"  {device.format.language}:"
        yield from (f"    {flow(one.said)}: {_spoken(name, one)}" for name, one in proposal.guesses.items())
    yield from _left_out(proposal)


def _part(part: str, limits: list[Limit]) -> Iterator[str]:
    yield f"  - part: {flow(part)}"
    kind = next((known for known in _LIVES if known in part), "filter")
    yield _decide(f"    consumable: {_CONSUMABLES.get(kind, 'generic-hepa')}", "which one is it? see consumables.yaml")
    yield _decide(f"    prior_life_days: {_LIVES[kind]}", "how long does one last typically?")
    yield "    limits:"
    for limit in limits:
        words: dict[str, Any] = {"metric": limit.metric, "measure": limit.measure.value}
        words |= {} if limit.capacity is None else {"capacity": limit.capacity}
        words |= {} if limit.quantum == 1 else {"quantum": limit.quantum}
        words |= {"due": limit.due} if limit.due else {}
        line = f"      - {flow(words)}"
        yield _decide(line, limit.decide) if limit.decide else line


def _spoken(metric: str, one: Guess) -> str:
    words: dict[str, Any] = {"metric": metric}
    words |= {"unit": one.said_unit} if one.said_unit else {}
    words |= {"none": [int(raw) if raw.isdigit() else raw for raw in one.none]} if one.none else {}
    words |= {"values": one.values} if one.values else {}
    words |= {} if one.scale == 1 else {"scale": one.scale}
    words |= {"offset": one.offset} if one.offset else {}
    return flow(metric if words.keys() == {"metric"} else words)


def _what_was_seen(one: Guess) -> str:
    """The property and its values in a few words."""
    numbers = numbers_of(one) if one.kind is MetricKind.NUMBER else []
    if numbers:
        ends = f"{numbers[0]:.6g} to {numbers[-1]:.6g}" if len(numbers) > 1 else f"{numbers[0]:.6g}"
    else:
        ends = ", ".join(list(dict.fromkeys(map(str, one.seen)))[:4])
    why = f"; {one.part}: {one.why}" if one.part and one.why else ""
    return " ".join(f"{one.said}: {ends}{why}".split())[:200]


def _category(proposal: Proposal) -> str:
    known: Mapping[str, str] = _CATEGORIES
    return next((known[word] for part in proposal.parts for word in known if word in part), "device")


def _left_out(proposal: Proposal) -> Iterator[str]:
    names = proposal.passed_over
    if names:
        more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
        yield f"# Said, and left out: {_printable(', '.join(names[:_NAMES_SHOWN]))}{more}."


def _decide(line: str, what: str) -> str:
    return _with_notes(line, "", [what])


def _with_notes(line: str, note: str, decide: list[str]) -> str:
    notes = [note] if note else []
    notes += [f"DECIDE: {' '.join(decide)}"] if decide else []
    return f"{line}  # {_printable('; '.join(notes))}" if notes else line


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
