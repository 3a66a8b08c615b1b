"""What can be read of a payload that is not JSON, as devices send it: cut at the end of a buffer, with `nan` or broken
UTF-8 in it, with a bit or a bracket missing.

One walk over its tokens, so time is linear whatever comes. Nothing is guessed: a value beside which something stands
that does not belong there is UNREADABLE, and an object whose end is missing or wrong is named in `broken`.
"""

import json
import re
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import islice
from typing import Any

from devices.wire import is_text

# A string; a string that does not end; a mark; anything else. No alternative can begin where another gave up.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|".*+|[{}\[\]:,]|[^\s{}\[\]:,"]++', re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)(?:\(\w*\))?", re.IGNORECASE)
_WORDS = {"true": True, "false": False, "null": None}
_DIGITS_MAX = 400
# No payload of ours is so deep. What is deeper is not walked through.
_DEPTH_MAX = 64
# More marks and values, and more broken pieces, than a payload of ours has: what follows is not walked through either.
_TOKENS_MAX = 100_000
_BROKEN_MAX = 1_000


class _Unreadable:
    def __repr__(self) -> str:
        return "UNREADABLE"


UNREADABLE = _Unreadable()


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was read: `content` as `json.loads` would have it, UNREADABLE where it has no value.

    `broken` has the ids of the objects and lists that do not end where they should; `lost` says that there may have
    been more than what was read.
    """

    content: Any
    broken: frozenset[int]
    lost: bool


class _Next(Enum):
    KEY = auto()
    COLON = auto()
    VALUE = auto()
    COMMA = auto()


@dataclass(slots=True)
class _Frame:
    """An open object or list. `place` is the key or index of what came last in it, or comes now."""

    container: dict[str, Any] | list[Any]
    next: _Next
    place: Any = None

    def put(self, value: Any) -> bool:
        """Put a value in its place; False when an object has that place already, and which is right nobody knows."""
        if isinstance(self.container, list):
            self.place = len(self.container)
            self.container.append(value)
            return True
        known = self.place in self.container
        self.container[self.place] = UNREADABLE if known else value
        return not known

    def spoil(self) -> None:
        """What came last cannot be trusted: something stands beside it."""
        is_there = self.place is not None and (isinstance(self.container, list) or self.place in self.container)
        if is_there and not isinstance(self.container[self.place], dict | list):
            self.container[self.place] = UNREADABLE


@dataclass(slots=True)
class _Walk:
    root: Any = UNREADABLE
    frames: list[_Frame] = field(default_factory=list)
    broken: set[int] = field(default_factory=set)
    lost: bool = False

    @property
    def top(self) -> _Frame:
        return self.frames[-1]

    def open(self, mark: str) -> None:
        container: Any = {} if mark == "{" else []
        if mark == "{" and self.frames and self.top.next is _Next.KEY:
            self._leave_the_broken_element()
        if not self.frames:
            self.root = container
        elif self.top.next is _Next.VALUE:
            self._put(container)
        elif isinstance(self.top.container, list):
            self.top.spoil()
            self._put(container)
        else:
            # It has no place of its own. It is walked through all the same, to find where it ends.
            self.lost = True
            self.end_value()
            self.top.next = _Next.COMMA
        self.frames.append(_Frame(container, _Next.KEY if mark == "{" else _Next.VALUE))

    def _leave_the_broken_element(self) -> None:
        """Where a key should be an object begins: the one before it lost its end, if there is a list to go on with."""
        if any(isinstance(frame.container, list) for frame in self.frames):
            while isinstance(self.top.container, dict):
                self._mark(self.frames.pop())
            self.top.next = _Next.VALUE

    def close(self, mark: str) -> None:
        self.end_value()
        frame = self.frames.pop()
        if isinstance(frame.container, dict) != (mark == "}"):
            self._mark(frame)

    def colon(self) -> None:
        if self.top.next is _Next.COLON:
            self.top.next = _Next.VALUE
        else:
            self.top.spoil()

    def comma(self) -> None:
        self.end_value()
        self.top.next = _Next.KEY if isinstance(self.top.container, dict) else _Next.VALUE

    def scalar(self, token: str) -> None:
        top = self.top
        if top.next is _Next.VALUE:
            self._put(_parse_scalar(token))
        elif top.next is _Next.KEY and token[0] == '"':
            self._key(token)
        elif top.next is _Next.COLON:
            self.end_value()
        else:
            top.spoil()
            if isinstance(top.container, dict) and token[0] == '"':
                self._key(token)
            else:
                top.next = _Next.COMMA

    def end_value(self) -> None:
        """A key whose value does not come has one that cannot be read."""
        if isinstance(self.top.container, dict) and self.top.next in (_Next.COLON, _Next.VALUE):
            self._put(UNREADABLE)

    def end(self, *, within_a_value: bool) -> None:
        """The payload ends here: with what is still open, and with a value that may have gone on."""
        if not self.frames:
            self.lost = self.lost or self.root is UNREADABLE
            return
        if within_a_value:
            self.top.spoil()
        self.end_value()
        for frame in self.frames:
            self._mark(frame)

    def _key(self, token: str) -> None:
        key = _parse_scalar(token)
        self.top.place = key if isinstance(key, str) else token.encode("utf-8", "replace").decode()
        self.top.next = _Next.COLON

    def _put(self, value: Any) -> None:
        if not self.top.put(value):
            self._mark(self.top)
        self.top.next = _Next.COMMA

    def _mark(self, frame: _Frame) -> None:
        self.broken.add(id(frame.container))
        self.lost = True


def salvage(payload: bytes) -> Salvaged:
    """What can be read of `payload`; what stands before and after its one value is passed over."""
    text = payload.decode("utf-8", "surrogateescape")
    walk = _Walk()
    end = 0
    for match in islice(_TOKEN.finditer(text), _TOKENS_MAX):
        token, end = match[0], match.end()
        if token in "{[":
            walk.open(token)
        elif not walk.frames:
            continue
        elif token in "}]":
            walk.close(token)
        elif token == ":":
            walk.colon()
        elif token == ",":
            walk.comma()
        else:
            walk.scalar(token)
        if not 0 < len(walk.frames) <= _DEPTH_MAX or len(walk.broken) > _BROKEN_MAX:
            break
    walk.end(within_a_value=end == len(text))
    return Salvaged(walk.root, frozenset(walk.broken), walk.lost or '"seq"' in text[end:])


def _parse_scalar(token: str) -> Any:
    if token[0] == '"':
        return _parse_string(token)
    if token in _WORDS:
        return _WORDS[token]
    if _NOT_FINITE.fullmatch(token):
        return float("nan")
    if len(token) > _DIGITS_MAX or not _NUMBER.fullmatch(token):
        return UNREADABLE
    return json.loads(token)


def _parse_string(token: str) -> Any:
    try:
        text = json.loads(token, strict=False)
    except ValueError:
        return UNREADABLE
    return text if is_text(text) else UNREADABLE
