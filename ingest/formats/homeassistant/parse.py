"""What comes on topics that a Home Assistant config names: a value by its template, or who is there."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from devices.wire import parse_json
from ingest.formats.homeassistant.config import Entity
from ingest.formats.homeassistant.template import MISSING, compile_template
from ingest.formats.plain_text import as_value
from ingest.formats.saying import Saying
from ingest.nouns import Delivery, Rejection


def write_entities(entities: Iterable[tuple[Entity, str]]) -> bytes:
    """How the entities of a topic are kept, each with the config that named it."""
    return json.dumps([{**asdict(entity), "config": config} for entity, config in entities]).encode()


def read_entities(body: bytes, *, but: str = "") -> list[tuple[Entity, str]]:
    """The entities that were kept and their configs, but those of one config."""
    kept = [(one.pop("config"), one) for one in parse_json(body)] if body else []
    return [(Entity(**one), config) for config, one in kept if config != but]


def say_values(delivery: Delivery, body: bytes) -> Sequence[Saying]:
    """What a message says of the devices whose entities read it; ValueError when it is no text."""
    try:
        text = delivery.payload.decode().strip()
    except UnicodeDecodeError:
        raise ValueError("the payload is not a text in UTF-8") from None
    content = _as_json(delivery.payload)
    found = [(entity, _run(entity, text, content)) for entity, _ in read_entities(body)]
    return [saying for entity, raw in found if (saying := _say(entity, raw)) is not None]


def refuse_templates(entities: Iterable[Entity]) -> list[Saying]:
    """For each entity whose template is more than is read a refusal that names it."""
    return [
        Saying(entity.device, model=entity.model, rejections=(_refusal(entity),))
        for entity in entities
        if not entity.is_read
    ]


def _refusal(entity: Entity) -> Rejection:
    why = f"the template {entity.template[:200]!r} is more than a path with filters and arithmetic: it is not run"
    return Rejection("unread_template", why, entity.name[:64])


def _as_json(payload: bytes) -> Any:
    try:
        return parse_json(payload)
    except ValueError:
        return MISSING


def _run(entity: Entity, text: str, content: Any) -> Any:
    if not entity.template:
        return text
    program = compile_template(entity.template)
    return MISSING if program is None else program(text, content)


def _say(entity: Entity, raw: Any) -> Saying | None:
    if not entity.name:
        word = "" if raw is MISSING else str(raw)
        if word not in (entity.on, entity.off):
            return None
        return Saying(entity.device, online=word == entity.on, model=entity.model)
    value = as_value(raw) if isinstance(raw, str) else raw
    if entity.on and raw == entity.on:
        value = True
    elif entity.off and raw == entity.off:
        value = False
    is_single = isinstance(value, bool | int | float | str)
    return Saying(entity.device, {entity.name: value}, model=entity.model) if is_single else None
