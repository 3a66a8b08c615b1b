"""Segment's tracking API as bytes: what a call or a batch of calls says, checked. Nothing here knows a database."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import DecodeError, Raw, Struct, ValidationError
from msgspec.json import Decoder, encode

from events.cut import cut_batch
from events.nouns import Call, Calls, Event, Heard, Refused
from events.reduced import TooMuch, claims_in, reduce_context, reduce_properties, reduce_text, reduce_traits
from millpond.kernel.errors import InvalidInput

EVENT_MAX_BYTES = 32_768
BATCH_MAX_BYTES = 512_000
CALLS_MAX = 5_000
ID_MAX = 255
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_Id = str | int | float | None
_Time = str | int | float | None
_UNREADABLE = (DecodeError, UnicodeDecodeError, RecursionError)


class _Said(Struct, rename="camel"):
    """A call as Segment specifies it; what is not named here is not looked at."""

    type: str | None = None
    event: str | None = None
    name: str | None = None
    category: str | None = None
    user_id: _Id = None
    anonymous_id: _Id = None
    previous_id: _Id = None
    group_id: _Id = None
    message_id: str | None = None
    timestamp: _Time = None
    original_timestamp: _Time = None
    sent_at: _Time = None
    context: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None


class _Batch(Struct, rename="camel"):
    batch: list[Raw]
    sent_at: _Time = None
    context: dict[str, Any] | None = None


class _Beside(Struct, rename="camel"):
    write_key: str | None = None


_SAID, _BATCH, _BESIDE = Decoder(_Said), Decoder(_Batch), Decoder(_Beside)


class _CannotBeTaken(Exception):
    """A call that is refused; its arguments are the word for why and a sentence."""


def decode_batch(body: bytes, *, received_at: datetime, gpc: bool = False) -> Calls:
    """What a body of `/v1/batch` says. A bad call never takes the others with it.

    `gpc` is whether the browser asked not to be followed (Global Privacy Control); each event then says so.
    Raises InvalidInput for a body that is no JSON object with a list `batch`, or has too many calls in it.
    """
    batch = _read_batch(body)
    if len(batch.batch) > CALLS_MAX:
        raise InvalidInput(f"a batch has at most {CALLS_MAX} calls, this one has {len(batch.batch)}: cut it in two")
    return _sort(_Reader(received_at, batch, gpc), [bytes(raw) for raw in batch.batch], None)


def decode_call(body: bytes, call: Call, *, received_at: datetime, gpc: bool = False) -> Calls:
    """What a body of `/v1/track` and its like says, which is one call."""
    return _sort(_Reader(received_at, _Batch([]), gpc), [body], call)


def decode_write_key(body: bytes) -> str | None:
    """The `writeKey` in a body: browsers put it there where they cannot set a header."""
    try:
        return _BESIDE.decode(body).write_key
    except (ValidationError, *_UNREADABLE):
        return None


def decode_rows(raws: Sequence[bytes], *, received_at: datetime) -> Calls:
    """What calls say that stand in a file, in their order; one without a message id is known by what it says."""
    return _sort(_Reader(received_at, _Batch([]), gpc=False, in_file=True), raws, None)


def correct_time(timestamp: _Time, sent_at: _Time, received_at: datetime) -> datetime:
    """When something happened: the client's own time, and how far its clock was from ours when it sent it.

    Source: Segment's specification, received - (sentAt - timestamp). Without `sentAt` the clock is taken to be right. A
    time that cannot be read, lies in the future or before 2000 is that of a broken clock: what then counts is ours.
    """
    told, sent = _read_time(timestamp), _read_time(sent_at)
    if told is None:
        return received_at
    try:
        happened = received_at - (sent - told) if sent is not None else told
    except OverflowError:
        return received_at
    return happened if _EARLIEST <= happened <= received_at else received_at


def _read_batch(body: bytes) -> _Batch:
    try:
        return _BATCH.decode(body)
    except ValidationError as error:
        raise InvalidInput(f"the body is no batch of calls: {error}") from error
    except _UNREADABLE as error:
        cut = cut_batch(body)
        if cut is None:
            raise InvalidInput("the body is not JSON: send an object with a list 'batch'") from error
    return _read_cut(*cut)


def _read_cut(rest: bytes, calls: list[bytes]) -> _Batch:
    try:
        batch = _BATCH.decode(rest)
    except (ValidationError, *_UNREADABLE) as error:
        raise InvalidInput("the body is not JSON: send an object with a list 'batch'") from error
    batch.batch = [Raw(call) for call in calls]
    return batch


def _sort(reader: "_Reader", raws: Sequence[bytes], call: Call | None) -> Calls:
    heard, refused = list[Heard](), list[Refused]()
    for place, raw in enumerate(raws):
        try:
            heard.append(Heard(reader.read(raw, place, call), raw))
        except _CannotBeTaken as error:
            reason, detail = error.args
            refused.append(Refused(reason, detail, raw, call=call))
    return Calls(tuple(heard), tuple(refused))


class _Reader:
    """Reads the calls of one body, which share a moment, `sentAt` and what the batch says of their context."""

    def __init__(self, received_at: datetime, batch: _Batch, gpc: bool, *, in_file: bool = False) -> None:
        self._in_file = in_file
        self._received_at = received_at
        self._beside = {"gpc": True} if gpc else {}
        self._sent_at = batch.sent_at
        self._context = batch.context

    def read(self, raw: bytes, place: int, call: Call | None) -> Event:
        if len(raw) > EVENT_MAX_BYTES:
            raise _CannotBeTaken("too_large", f"a call has at most {EVENT_MAX_BYTES} bytes, this one has {len(raw)}")
        said = _read_said(raw)
        try:
            return self._event(said, call or _read_call(said), raw, place)
        except TooMuch as error:
            raise _CannotBeTaken(*error.args) from error

    def _event(self, said: _Said, call: Call, raw: bytes, place: int) -> Event:
        properties, context = (
            _properties(said, call),
            reduce_context(said.context or self._context or {}) | self._beside,
        )
        login, anonymous_id = _id(said.user_id, "userId"), _id(said.anonymous_id, "anonymousId")
        if login is None and anonymous_id is None:
            raise _CannotBeTaken("nobody", "a call has a userId or an anonymousId")
        return Event(
            message_id=_id(said.message_id, "messageId") or self._make_message_id(said, raw, place),
            call=call,
            name=_name(said, call),
            happened_at=correct_time(_timestamp(said), said.sent_at or self._sent_at, self._received_at),
            login=login,
            anonymous_id=anonymous_id,
            previous_id=_previous(said, call),
            session_id=_session(said.context or {}),
            sku=_sku(properties),
            properties=encode(properties).decode(),
            context=encode(context).decode(),
            claims=claims_in(said.traits or {}) if call is Call.IDENTIFY else (),
        )

    def _make_message_id(self, said: _Said, raw: bytes, place: int) -> str:
        # The same call at the same moment of its own is one that is sent again; without a moment it happened again.
        once = (
            b""
            if self._in_file or _timestamp(said) is not None
            else f"{self._received_at.isoformat()} {place} ".encode()
        )
        return "made-" + hashlib.sha256(once + raw).hexdigest()[:32]


def _read_said(raw: bytes) -> _Said:
    try:
        return _SAID.decode(raw)
    except ValidationError as error:
        raise _CannotBeTaken("wrong_type", f"{error}") from error
    except RecursionError as error:
        raise _CannotBeTaken("too_deep", "a call is nested at most 10 deep") from error
    except (DecodeError, UnicodeDecodeError) as error:
        raise _CannotBeTaken("not_json", f"it is not JSON in UTF-8: {_where(error)}") from error


def _where(error: Exception) -> str:
    return f"byte {error.start} is none" if isinstance(error, UnicodeDecodeError) else str(error)


def _read_call(said: _Said) -> Call:
    try:
        return Call(said.type or "")
    except ValueError:
        raise _CannotBeTaken("no_type", f"the type of a call is one of {', '.join(Call)}") from None


def _properties(said: _Said, call: Call) -> dict[str, Any]:
    if call in (Call.IDENTIFY, Call.GROUP):
        reduce: Callable[[dict[str, Any]], dict[str, Any]] = (
            reduce_traits if call is Call.IDENTIFY else reduce_properties
        )
        beside = {"groupId": _id(said.group_id, "groupId")}
        return reduce(said.traits or {}) | {key: value for key, value in beside.items() if value is not None}
    properties = reduce_properties(said.properties or {})
    return properties if said.category is None else reduce_properties({"category": said.category}) | properties


def _name(said: _Said, call: Call) -> str:
    name = {Call.TRACK: said.event, Call.PAGE: said.name, Call.SCREEN: said.name}.get(call) or ""
    if call is Call.TRACK and not name.strip():
        raise _CannotBeTaken("no_name", "a track call says in 'event' what happened")
    return reduce_text(name.strip()[:ID_MAX])


def _previous(said: _Said, call: Call) -> str | None:
    previous = _id(said.previous_id, "previousId")
    if call is Call.ALIAS and previous is None:
        raise _CannotBeTaken("no_previous", "an alias call says in 'previousId' who they were")
    return previous if call is Call.ALIAS else None


def _id(value: _Id, what: str) -> str | None:
    if value is None or value == "":
        return None
    text = str(value).strip()
    if len(text) > ID_MAX or not text or "\0" in text:
        raise _CannotBeTaken("bad_id", f"{what} is 1 to {ID_MAX} characters, and none of them is a NUL")
    return text


def _timestamp(said: _Said) -> _Time:
    return said.timestamp if said.timestamp is not None else said.original_timestamp


def _session(context: dict[str, Any]) -> str | None:
    value = context.get("sessionId", context.get("session_id"))
    return _id(value, "sessionId") if isinstance(value, str | int) else None


def _sku(properties: dict[str, Any]) -> str | None:
    value = properties.get("sku", properties.get("product_id"))
    return str(value)[:ID_MAX] if isinstance(value, str | int) else None


def _read_time(value: _Time) -> datetime | None:
    try:
        if isinstance(value, str):
            read = datetime.fromisoformat(value)
            return read if read.tzinfo else read.replace(tzinfo=UTC)
        return None if value is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value)
    except (ValueError, OverflowError):
        return None
