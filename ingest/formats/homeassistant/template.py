"""The part of a value template that can be read without running somebody's program: a path, filters, and arithmetic.

`{{ value_json.a['b'][0] | float(0) | round(1) }}`, `{{ value | int / 60 }}`: nothing else is, and no Jinja is run.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

LONGEST = 512
_DEEPEST = 10
_WHOLE = re.compile(r"\s*\{\{-?(.*?)-?\}\}\s*", re.DOTALL)
_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?)|'([^'\\]*)'|\"([^\"\\]*)\"|([A-Za-z_]\w*)|([.\[\]()|*/+,-]))", re.DOTALL)
_END = ("", "")

# What a template finds where there is nothing: no value.
MISSING = object()
Program = Callable[[Any, Any], Any]


class _Unread(Exception):
    """It is more than the part that is read."""


@lru_cache(4_096)
def compile_template(text: str) -> Program | None:
    """What a template makes of a payload (as text, and as JSON or MISSING); None when it is more than is read."""
    whole = _WHOLE.fullmatch(text) if len(text) <= LONGEST else None
    if whole is None or "{{" in whole[1]:
        return None
    try:
        reader = _Reader(_tokens(whole[1]))
        program = reader.sum()
        return program if reader.at_end else None
    except _Unread:
        return None


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, place, text = [], 0, text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _Unread
        number, single, double, name, sign = match.groups()
        kind = "number" if number else "name" if name else "sign" if sign else "text"
        tokens.append((kind, number or name or sign or single or double or ""))
        place = match.end()
    return tokens


class _Reader:
    """Reads a template's tokens from left to right; each method reads one kind of phrase."""

    def __init__(self, tokens: Sequence[tuple[str, str]]) -> None:
        self._tokens, self._place, self._depth = tokens, 0, 0

    @property
    def at_end(self) -> bool:
        return self._place == len(self._tokens)

    def _next(self) -> tuple[str, str]:
        return self._tokens[self._place] if self._place < len(self._tokens) else _END

    def _take(self) -> tuple[str, str]:
        token = self._next()
        self._place += 1
        return token

    def _takes(self, *signs: str) -> str:
        kind, text = self._next()
        return self._take()[1] if kind == "sign" and text in signs else ""

    def _require(self, sign: str) -> None:
        if not self._takes(sign):
            raise _Unread

    def sum(self) -> Program:
        program = self._product()
        while sign := self._takes("+", "-"):
            program = _arithmetic(sign, program, self._product())
        return program

    def _product(self) -> Program:
        program = self._filtered()
        while sign := self._takes("*", "/"):
            program = _arithmetic(sign, program, self._filtered())
        return program

    def _filtered(self) -> Program:
        program = self._single()
        while self._takes("|"):
            kind, name = self._take()
            arguments = self._arguments() if self._takes("(") else []
            if kind != "name" or name not in _FILTERS or len(arguments) > 1:
                raise _Unread
            program = _filter(_FILTERS[name], program, arguments)
        return program

    def _arguments(self) -> list[Any]:
        arguments: list[Any] = []
        while not self._takes(")"):
            minus = self._takes("-")
            kind, text = self._take()
            if kind not in ("number", "text") or (minus and kind == "text"):
                raise _Unread
            arguments.append(float(minus + text) if kind == "number" else text)
            if not self._takes(",") and self._next() != ("sign", ")"):
                raise _Unread
        return arguments

    def _single(self) -> Program:
        kind, text = self._take()
        if kind == "number":
            return lambda _value, _json: float(text)
        if kind == "sign" and text == "(":
            return self._in_brackets()
        if kind != "name" or text not in ("value", "value_json"):
            raise _Unread
        if text == "value":
            return lambda value, _json: value
        path = tuple(self._path())
        return lambda _value, content: _walk(content, path)

    def _in_brackets(self) -> Program:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _Unread
        program = self.sum()
        self._require(")")
        return program

    def _path(self) -> list[str | int]:
        path: list[str | int] = []
        while sign := self._takes(".", "["):
            kind, text = self._take()
            if sign == "." and kind == "name":
                path.append(text)
            elif sign == "[" and (kind == "text" or (kind == "number" and "." not in text)):
                path.append(int(text) if kind == "number" else text)
                self._require("]")
            else:
                raise _Unread
        return path


def _walk(content: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        if isinstance(content, dict):
            content = content.get(str(step), MISSING)
        elif isinstance(content, list) and isinstance(step, int) and step < len(content):
            content = content[step]
        else:
            return MISSING
    return MISSING if content is None else content


def _arithmetic(sign: str, left: Program, right: Program) -> Program:
    def run(value: Any, content: Any) -> Any:
        one, other = _number(left(value, content)), _number(right(value, content))
        if one is None or other is None or (sign == "/" and not other):
            return MISSING
        return {"+": one + other, "-": one - other, "*": one * other, "/": one / (other or 1)}[sign]

    return run


def _filter(call: Callable[[Any, Any], Any], program: Program, arguments: Sequence[Any]) -> Program:
    argument = arguments[0] if arguments else MISSING
    return lambda value, content: call(program(value, content), argument)


def _number(raw: Any) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    try:
        number = float(raw)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _or(number: float | None, instead: Any) -> Any:
    return instead if number is None else number


def _int(raw: Any, instead: Any) -> Any:
    number = _number(raw)
    return instead if number is None else int(number)


def _round(raw: Any, digits: Any) -> Any:
    number = _number(raw)
    if number is None:
        return MISSING
    return round(number, 0 if digits is MISSING else max(-15, min(15, int(digits))))


@dataclass(frozen=True, slots=True)
class _As:
    """A filter that leaves what is missing as it is."""

    call: Callable[[Any], Any]

    def __call__(self, raw: Any, _argument: Any) -> Any:
        return raw if raw is MISSING else self.call(raw)


_FILTERS: dict[str, Callable[[Any, Any], Any]] = {
    "float": lambda raw, instead: _or(_number(raw), instead),
    "int": _int,
    "round": _round,
    "default": lambda raw, instead: instead if raw is MISSING else raw,
    "d": lambda raw, instead: instead if raw is MISSING else raw,
    "is_defined": lambda raw, _argument: raw,
    "string": _As(str),
    "lower": _As(lambda raw: str(raw).lower()),
    "upper": _As(lambda raw: str(raw).upper()),
    "trim": _As(lambda raw: str(raw).strip()),
    "abs": lambda raw, _argument: _or(None if _number(raw) is None else abs(_number(raw) or 0), MISSING),
}
