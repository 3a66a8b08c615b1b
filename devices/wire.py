"""Version 1 of our MQTT contract: the topic grammar and the payloads, shared by ingest and the simulators."""

import math
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import from_json

Channel = Literal["telemetry", "backfill", "status", "ack", "command"]

PREFIX = "millpond/v1"
SEQ_MAX = 2**64 - 1
_SERIAL = r"[A-Za-z0-9._:-]{1,64}"
_TOPIC = re.compile(rf"{PREFIX}/({_SERIAL})/(telemetry|backfill|status|ack|command)")
_RESULT_TOPIC = re.compile(rf"{PREFIX}/({_SERIAL})/command/([^/+#]+)/result")

Seq = Annotated[int, Field(strict=True, ge=0, le=SEQ_MAX)]
Boot = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]
# A value is checked against its metric later, one by one: a bad one must not cost the others of its sample.
Metrics = dict[str, Any]


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
    return Topic(match[1], match[2]) if match else None  # type: ignore[arg-type]


def build_result_topic(serial: str, command_id: str) -> str:
    """Where a device answers a command."""
    return f"{PREFIX}/{serial}/command/{command_id}/result"


def parse_result_topic(topic: str) -> tuple[str, str] | None:
    """Serial and command id of a command's answer, or None."""
    match = _RESULT_TOPIC.fullmatch(topic)
    return (match[1], match[2]) if match else None


class Sample(BaseModel):
    """Metrics measured at one moment. `ts` is epoch milliseconds or RFC 3339 with an offset; see `parse_ts`."""

    model_config = ConfigDict(frozen=True)

    seq: Seq | None = None
    ts: Any = None
    metrics: Metrics

    @model_validator(mode="after")
    def _some_metrics(self) -> "Sample":
        if not self.metrics:
            raise ValueError("metrics is empty")
        return self


class Telemetry(BaseModel):
    """A telemetry or backfill payload, once its one-sample form is folded into `samples`."""

    model_config = ConfigDict(frozen=True)

    boot: Boot | None = None
    serial: str | None = None
    # Not yet validated: each sample stands or falls alone.
    samples: Annotated[list[Any], Field(min_length=1, max_length=10_000)]

    @model_validator(mode="before")
    @classmethod
    def _fold_one_sample(cls, payload: Any) -> Any:
        if isinstance(payload, dict) and "samples" not in payload:
            if "metrics" not in payload:
                raise ValueError("neither metrics nor samples is there")
            one = {key: payload[key] for key in ("seq", "ts", "metrics") if key in payload}
            return {key: payload[key] for key in ("boot", "serial") if key in payload} | {"samples": [one]}
        return payload


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

    Raises ValueError with the position of the mistake.
    """
    return from_json(payload, allow_inf_nan=True)


def parse_ts(ts: Any) -> datetime | None:
    """A sample's `ts` as UTC; None when it is absent or beyond any calendar. Raises ValueError when it is not a time.

    A time without an offset is an error: nobody can know which hour it meant.
    """
    if ts is None:
        return None
    if isinstance(ts, int | float) and not isinstance(ts, bool):
        if not math.isfinite(ts):
            raise ValueError(f"ts {ts} is not a time")
        return _from_epoch_ms(ts)
    if not isinstance(ts, str):
        raise ValueError(f"ts {ts!r} is neither epoch milliseconds nor RFC 3339")
    try:
        moment = datetime.fromisoformat(ts)
    except ValueError:
        raise ValueError(f"ts {ts[:40]!r} is neither epoch milliseconds nor RFC 3339") from None
    if moment.tzinfo is None:
        raise ValueError(f"ts {ts!r} has no offset from UTC")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None


def _from_epoch_ms(ts: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(ts / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
