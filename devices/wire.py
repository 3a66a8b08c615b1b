"""Version 1 of our MQTT contract: the topic grammar and the payloads, shared by ingest and the simulators."""

import re
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import from_json

Channel = Literal["telemetry", "backfill", "status", "ack", "command", "forecast"]

PREFIX = "millpond/v1"
SEQ_MAX = 2**64 - 1
_SERIAL = r"[A-Za-z0-9._:-]{1,64}"
_TOPIC = re.compile(rf"{PREFIX}/({_SERIAL})/(telemetry|backfill|status|ack|command|forecast)")
_RESULT_TOPIC = re.compile(rf"{PREFIX}/({_SERIAL})/command/([^/+#]+)/result")

_BOOT_MAX = 64
# Beyond it two whole numbers can be one double.
_EXACT_MAX = 2**53
_QUOTE_MAX = 40
# A hundred years.
_UPTIME_MAX_S = 3_155_760_000
_DIGITS = re.compile(r"[0-9]{1,20}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Seq = Annotated[
    int,
    BeforeValidator(lambda raw: raw if (seq := parse_seq(raw)) is None else seq),
    Field(strict=True, ge=0, le=SEQ_MAX),
]
Boot = Annotated[str, Field(min_length=1, max_length=_BOOT_MAX, pattern=r"^[^\x00]+$")]


class Topic(NamedTuple):
    """What a topic of ours says."""

    serial: str
    channel: Channel


def build_topic(serial: str, channel: Channel) -> str:
    """`millpond/v1/{serial}/{channel}`."""
    return f"{PREFIX}/{serial}/{channel}"


def parse_topic(topic: str) -> Topic | None:
    """The serial and channel of a topic of ours, or None."""
    match = _TOPIC.fullmatch(topic)
    return Topic(match[1], match[2]) if match else None  # type: ignore[arg-type]  # the pattern allows no other channel


def build_result_topic(serial: str, command_id: str) -> str:
    """Where a device answers a command."""
    return f"{PREFIX}/{serial}/command/{command_id}/result"


def parse_result_topic(topic: str) -> tuple[str, str] | None:
    """Serial and command id of a command's answer, or None."""
    match = _RESULT_TOPIC.fullmatch(topic)
    return (match[1], match[2]) if match else None


class Sample(NamedTuple):
    """Metrics measured at one moment. `ts` is epoch milliseconds or RFC 3339 with an offset; see `parse_ts`.

    `uptime_s` is for how many seconds the device was on when it measured.
    """

    seq: int | None
    ts: Any
    metrics: dict[str, Any]
    uptime_s: float | None = None


class Message(NamedTuple):
    """A telemetry or backfill payload, its one-sample form folded into `samples`.

    These are not read yet, each stands or falls alone. `fault` says what is wrong with the message itself. `uptime_s`
    is for how many seconds the device was on when it sent the message, where it says that beside `samples`.
    """

    boot: str | None
    serial: str | None
    samples: list[Any]
    fault: str = ""
    uptime_s: float | None = None


class Status(BaseModel):
    """A device's retained state, and its Last Will. An offline of an older session is ignored."""

    model_config = ConfigDict(frozen=True)

    state: Literal["online", "offline"]
    session: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]


class Ack(BaseModel):
    """Every sequence number of `boot` up to and including `seq` is committed or quarantined."""

    model_config = ConfigDict(frozen=True)

    boot: str
    seq: int


class ResendCommand(BaseModel):
    """Asks a device to publish the numbers `from` to `to` (both included) of `boot` once more."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    id: str
    type: Literal["resend"] = "resend"
    boot: str
    from_seq: int = Field(alias="from")
    to_seq: int = Field(alias="to")


class ResendResult(BaseModel):
    """The device's answer: `gone` when it no longer has any of the numbers, else `resending`."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    status: Literal["resending", "gone"]
    boot: Boot
    from_seq: Seq = Field(alias="from")
    to_seq: Seq = Field(alias="to")


def parse_json(payload: bytes) -> Any:
    """The JSON value of `payload`; NaN and infinities are let through for the metric they belong to to be rejected.

    A byte order mark, and the zeros that end a text in C, are passed over. Raises ValueError with the position of the
    mistake.
    """
    return from_json(payload.removeprefix(_BYTE_ORDER_MARK).rstrip(b"\0"), allow_inf_nan=True)


def parse_message(content: Any) -> Message:
    """A telemetry or backfill payload, with all of it that can be read."""
    if not isinstance(content, dict):
        return Message(None, None, [], f"the payload is {quote(content)}, not an object")
    boot, serial = content.get("boot"), content.get("serial")
    faults = [] if boot is None or is_boot(boot) else ["boot: it is not a text of 1 to 64 characters without NUL"]
    samples = content.get("samples", [content] if content.keys() & {"metrics", "seq"} else None)
    if isinstance(samples, dict):
        samples = [samples]
    if not isinstance(samples, list):
        faults.append("samples: it is not a list" if "samples" in content else "neither metrics nor samples is there")
    elif not samples:
        faults.append("samples: it is empty")
    serial = None if serial is None else serial if isinstance(serial, str) else quote(serial)
    boot = boot if is_boot(boot) else None
    uptime_s = parse_uptime(content.get("uptime_s")) if "samples" in content else None
    return Message(boot, serial, samples if isinstance(samples, list) else [], "; ".join(faults), uptime_s)


def parse_sample(raw: Any) -> Sample:
    """One of a message's samples; its values are not checked. Raises ValueError when it is none."""
    if not isinstance(raw, dict):
        raise ValueError(f"it is {quote(raw)}, not an object")
    seq = parse_seq(raw.get("seq"))
    if seq is None and raw.get("seq") is not None:
        raise ValueError(f"seq: {quote(raw['seq'])} is not a whole number from 0 to 2^64 - 1")
    metrics = raw.get("metrics")
    if not isinstance(metrics, dict):
        raise ValueError("metrics: it is not an object")
    if not metrics:
        raise ValueError("metrics is empty")
    return Sample(seq, raw.get("ts"), metrics, parse_uptime(raw.get("uptime_s")))


def parse_uptime(raw: Any) -> float | None:
    """Seconds since a boot; None for what can be none: text, NaN, what is below 0 or more than a hundred years."""
    is_one = isinstance(raw, int | float) and not isinstance(raw, bool) and 0 <= raw <= _UPTIME_MAX_S
    return float(raw) if is_one else None


def parse_seq(raw: Any) -> int | None:
    """A sequence number, also one that a device wrote as 2.0 or "2"; None when it is none."""
    if isinstance(raw, float):
        raw = int(raw) if raw.is_integer() and abs(raw) <= _EXACT_MAX else None
    elif isinstance(raw, str):
        raw = int(raw) if _DIGITS.fullmatch(raw) else None
    is_one = isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw <= SEQ_MAX
    return raw if is_one else None


def is_boot(raw: Any) -> bool:
    """Whether it can be the name of a boot."""
    return isinstance(raw, str) and 0 < len(raw) <= _BOOT_MAX and "\x00" not in raw and is_text(raw)


def is_text(raw: str) -> bool:
    """Whether UTF-8 can say it: it has no half of a surrogate pair."""
    return not _SURROGATE.search(raw)


def quote(raw: Any) -> str:
    """A value of a payload in a few characters, for a sentence: what devices send is repeated at no great length."""
    match raw:
        case None:
            return "null"
        case bool():
            return str(raw).lower()
        case str():
            return repr(raw[:_QUOTE_MAX])
        case int() if abs(raw) < 10**_QUOTE_MAX:
            return str(raw)
        case int():
            return "a number of too many digits"
        case float():
            return str(raw)
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return "not readable"
