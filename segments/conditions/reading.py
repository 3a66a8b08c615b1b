"""Reading a condition from JSON. What is wrong is told in one sentence, with its place as a JSON pointer."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from customers.nouns import Purpose
from millpond.kernel.errors import InvalidInput
from segments.conditions.fields import FIELDS, OPERATORS, Field, Kind
from segments.conditions.nouns import (
    Agrees,
    Bought,
    Compare,
    Condition,
    Did,
    Every,
    InSegment,
    Interest,
    Not,
    Propensity,
)

DEPTH_MAX, PARTS_MAX, WORD_MAX, LIST_MAX, DAYS_MAX, TIMES_MAX = 8, 60, 200, 100, 730, 1000
NUMBER_MAX = 1e15
SEGMENT_ID = "^[a-z][a-z0-9_]{0,62}$"
CURRENCY = "^[A-Z]{3}$"
Json = Mapping[str, Any]


def read_condition(said: Any) -> Condition:
    """A condition as it was written. Raises InvalidInput with one sentence that begins with the place."""
    return _Reader().read(said, "", 1)


class _Reader:
    """Counts the parts while it reads."""

    def __init__(self) -> None:
        self._parts = 0
        self._heads: dict[str, Callable[[Json, str, int], Condition]] = {
            "and": self._read_and,
            "or": self._read_or,
            "not": self._read_not,
            "field": _read_compare,
            "bought": _read_bought,
            "did": _read_did,
            "interest": _read_interest,
            "propensity": _read_propensity,
            "segment": _read_segment,
            "consent": _read_consent,
        }

    def read(self, said: Any, place: str, depth: int) -> Condition:
        self._parts += 1
        if self._parts > PARTS_MAX:
            raise _wrong(place, f"a condition has at most {PARTS_MAX} parts")
        if depth > DEPTH_MAX:
            raise _wrong(place, f"a condition is at most {DEPTH_MAX} deep")
        if not isinstance(said, dict):
            raise _wrong(place, "a condition is an object, like {'field': 'orders', 'op': '>=', 'value': 2}")
        heads = [key for key in said if key in self._heads]
        if len(heads) != 1:
            raise _wrong(place, f"say exactly one of {_listed(self._heads)}")
        return self._heads[heads[0]](said, place, depth)

    def _read_and(self, said: Json, place: str, depth: int) -> Condition:
        return self._read_parts("and", said, place, depth)

    def _read_or(self, said: Json, place: str, depth: int) -> Condition:
        return self._read_parts("or", said, place, depth)

    def _read_parts(self, word: Literal["and", "or"], said: Json, place: str, depth: int) -> Condition:
        _only(said, {word}, place)
        parts, at = said[word], f"{place}/{word}"
        if not isinstance(parts, list) or not parts:
            raise _wrong(at, "a list of at least one condition stands here")
        return Every(word, tuple(self.read(part, f"{at}/{n}", depth + 1) for n, part in enumerate(parts)))

    def _read_not(self, said: Json, place: str, depth: int) -> Condition:
        _only(said, {"not"}, place)
        return Not(self.read(said["not"], f"{place}/not", depth + 1))


def _read_compare(said: Json, place: str, _: int) -> Compare:
    name = _word(said, "field", place)
    field = FIELDS.get(name)
    if field is None:
        raise _wrong(f"{place}/field", f"there is no such field; there are {_listed(FIELDS)}")
    money = field.kind is Kind.MONEY
    _only(said, {"field", "op", "value"} | ({"currency"} if money else set()), place)
    op = _word(said, "op", place)
    if op not in OPERATORS[field.kind]:
        raise _wrong(f"{place}/op", f"{name} takes {_listed(OPERATORS[field.kind])}")
    value = _read_value(said, field, op, place)
    return Compare(name, op, value, _word(said, "currency", place, CURRENCY) if money else None)


def _read_value(said: Json, field: Field, op: str, place: str) -> float | str | tuple[str, ...]:
    if field.kind in (Kind.NUMBER, Kind.MONEY):
        return _number(said, "value", place, -NUMBER_MAX, NUMBER_MAX)
    if op not in ("in", "has_any"):
        return _one_of(_word(said, "value", place), field, f"{place}/value")
    values = said.get("value")
    if not isinstance(values, list) or not 1 <= len(values) <= LIST_MAX:
        raise _wrong(f"{place}/value", f"{op} takes a list of 1 to {LIST_MAX} texts")
    items = {str(n): value for n, value in enumerate(values)}
    return tuple(_one_of(_word(items, n, f"{place}/value"), field, f"{place}/value/{n}") for n in items)


def _one_of(value: str, field: Field, place: str) -> str:
    if field.values and value not in field.values:
        raise _wrong(place, f"it is one of {_listed(field.values)}")
    return value


def _read_bought(said: Json, place: str, _: int) -> Bought:
    inner, at = _inner(said, "bought", place, {"category", "sku", "within_days", "at_least"})
    category, sku = _category_or_sku(inner, at)
    if category is None and sku is None:
        raise _wrong(at, "say a category or a sku")
    return Bought(category, sku, _days(inner, at), _times(inner, at))


def _read_did(said: Json, place: str, _: int) -> Did:
    inner, at = _inner(said, "did", place, {"event", "category", "sku", "within_days", "at_least"})
    category, sku = _category_or_sku(inner, at)
    return Did(_word(inner, "event", at), category, sku, _days(inner, at), _times(inner, at))


def _read_interest(said: Json, place: str, _: int) -> Interest:
    inner, at = _inner(said, "interest", place, {"category", "at_least"})
    return Interest(_word(inner, "category", at), _number(inner, "at_least", at, 0, NUMBER_MAX))


def _read_propensity(said: Json, place: str, _: int) -> Propensity:
    inner, at = _inner(said, "propensity", place, {"category", "at_least"})
    return Propensity(_word(inner, "category", at), _number(inner, "at_least", at, 0, 1))


def _read_segment(said: Json, place: str, _: int) -> InSegment:
    _only(said, {"segment"}, place)
    return InSegment(_word(said, "segment", place, SEGMENT_ID))


def _read_consent(said: Json, place: str, _: int) -> Agrees:
    _only(said, {"consent"}, place)
    word = _word(said, "consent", place)
    if word not in list(Purpose):
        raise _wrong(f"{place}/consent", f"it is one of {_listed(list(Purpose))}")
    return Agrees(Purpose(word))


def _inner(said: Json, head: str, place: str, keys: set[str]) -> tuple[Json, str]:
    _only(said, {head}, place)
    inner, at = said[head], f"{place}/{head}"
    if not isinstance(inner, dict):
        raise _wrong(at, f"an object with {_listed(sorted(keys))} stands here")
    _only(inner, keys, at)
    return inner, at


def _category_or_sku(inner: Json, at: str) -> tuple[str | None, str | None]:
    if "category" in inner and "sku" in inner:
        raise _wrong(at, "say a category or a sku, not both")
    category = _word(inner, "category", at) if "category" in inner else None
    return category, _word(inner, "sku", at) if "sku" in inner else None


def _days(inner: Json, at: str) -> int:
    return _whole(inner, "within_days", at, DAYS_MAX)


def _times(inner: Json, at: str) -> int:
    return _whole(inner, "at_least", at, TIMES_MAX) if "at_least" in inner else 1


def _whole(said: Json, key: str, place: str, most: int) -> int:
    value = said.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= most or value % 1:
        raise _wrong(f"{place}/{key}", f"a whole number from 1 to {most} stands here")
    return int(value)


def _number(said: Json, key: str, place: str, least: float, most: float) -> float:
    value = said.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise _wrong(f"{place}/{key}", f"a number from {least:g} to {most:g} stands here")
    return value


def _word(said: Json, key: str, place: str, pattern: str | None = None) -> str:
    value = said.get(key)
    if not isinstance(value, str) or not 1 <= len(value) <= WORD_MAX or not _storable(value):
        raise _wrong(f"{place}/{key}", f"a text of 1 to {WORD_MAX} characters stands here")
    if pattern is not None and re.fullmatch(pattern, value) is None:
        raise _wrong(f"{place}/{key}", f"it does not match {pattern}")
    return value


def _storable(value: str) -> bool:
    return "\x00" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _only(said: Json, keys: set[str], place: str) -> None:
    for key in said:
        if key not in keys:
            raise _wrong(f"{place}/{_escaped(key)}", f"nothing of this name stands here, only {_listed(sorted(keys))}")


def _escaped(key: str) -> str:
    return key[:WORD_MAX].replace("~", "~0").replace("/", "~1").encode("utf-8", "replace").decode()


def _listed(words: Any) -> str:
    return ", ".join(words)


def _wrong(place: str, what: str) -> InvalidInput:
    return InvalidInput(f"{place or '/'}: {what}")
