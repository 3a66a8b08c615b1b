"""The JSON Schema of conditions, made of the same tables as their reading: published, for editors and for forms."""

from typing import Any

from customers.nouns import Purpose
from segments.conditions.fields import FIELDS, OPERATORS, Field, Kind
from segments.conditions.reading import (
    CURRENCY,
    DAYS_MAX,
    LIST_MAX,
    NUMBER_MAX,
    PARTS_MAX,
    SEGMENT_ID,
    TIMES_MAX,
    WORD_MAX,
)

Schema = dict[str, Any]
_WORD: Schema = {"type": "string", "minLength": 1, "maxLength": WORD_MAX}
_PART: Schema = {"$ref": "#/$defs/condition"}


def condition_schema() -> Schema:
    """JSON Schema (2020-12) of a condition. Depth, and how many parts it has in all, are bounded besides."""
    heads = [_compare(name, field) for name, field in FIELDS.items()]
    parts: Schema = {"type": "array", "minItems": 1, "maxItems": PARTS_MAX, "items": _PART}
    heads += [
        _object({"and": parts}),
        _object({"or": parts}),
        _object({"not": _PART}),
        _object({"bought": _window({}, one_of_two=True)}),
        _object({"did": _window({"event": _WORD}, one_of_two=False)}),
        _object({"interest": _object({"category": _WORD, "at_least": _number(NUMBER_MAX)})}),
        _object({"propensity": _object({"category": _WORD, "at_least": _number(1)})}),
        _object({"segment": {"type": "string", "pattern": SEGMENT_ID}}),
        _object({"consent": {"enum": [purpose.value for purpose in Purpose]}}),
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Condition of a segment",
        "$ref": "#/$defs/condition",
        "$defs": {"condition": {"type": "object", "oneOf": heads}},
    }


def _compare(name: str, field: Field) -> Schema:
    forms = [
        _object(
            {"field": {"const": name}, "op": {"const": op}, "value": _value(field, op)}
            | ({"currency": {"type": "string", "pattern": CURRENCY}} if field.kind is Kind.MONEY else {})
        )
        for op in OPERATORS[field.kind]
    ]
    return {"description": field.says, "oneOf": forms}


def _value(field: Field, op: str) -> Schema:
    if field.kind in (Kind.NUMBER, Kind.MONEY):
        return {"type": "number", "minimum": -NUMBER_MAX, "maximum": NUMBER_MAX}
    one: Schema = {"enum": list(field.values)} if field.values else _WORD
    if op in ("in", "has_any"):
        return {"type": "array", "minItems": 1, "maxItems": LIST_MAX, "items": one}
    return one


def _window(also: Schema, *, one_of_two: bool) -> Schema:
    days, times = ({"type": "integer", "minimum": 1, "maximum": most} for most in (DAYS_MAX, TIMES_MAX))
    window = _object(also | {"within_days": days})
    window["properties"] |= {"at_least": times, "category": _WORD, "sku": _WORD}
    window["not"] = {"required": ["category", "sku"]}
    if one_of_two:
        window["anyOf"] = [{"required": ["category"]}, {"required": ["sku"]}]
    return window


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _number(most: float) -> Schema:
    return {"type": "number", "minimum": 0, "maximum": most}
