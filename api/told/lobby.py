"""Devices that speak and are not registered, as operators are told."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.models import Out
from api.told.devices import DeviceOut
from ingest.lobby.nouns import LobbyState, Unknown
from ingest.storing.retry_store import KeptMessage

_SHOWN_BYTES = 2_000


class UnknownOut(Out):
    """Who speaks and is not registered: what a format calls it, and what waits of it."""

    lobby_id: str
    name: Annotated[str, Field(description="What quarantine calls it: a serial, or format/identity.")]
    format: str
    identity: str
    other_names: list[str]
    said_model: Annotated[str, Field(description="What its messages say that it is, in their own words.")]
    state: LobbyState
    first_heard_at: datetime
    last_heard_at: datetime
    topic: str
    messages: Annotated[int, Field(description="How many of its messages wait.")]
    bytes: int
    dropped: Annotated[int, Field(description="How many were not kept: it is refused, or beyond its limits.")]
    decided_at: datetime | None
    decided_by: str | None
    trouble: Annotated[str | None, Field(description="Why a rule could not admit it.")]


class GuessOut(Out):
    """A model that could read its newest messages, how many values of them, and how many it would refuse."""

    model: str
    readings: int
    refused: int


class WaitingOut(Out):
    """A message that waits; `payload` is its beginning, with replacement characters where it is no UTF-8."""

    topic: str
    received_at: datetime
    size_bytes: int
    payload: str


class UnknownDetail(UnknownOut):
    """With its newest messages and the models that could read them, best first: a guess, which admits nobody."""

    serial: Annotated[str, Field(description="The serial that it gets when the admission names none.")]
    guesses: list[GuessOut]
    newest: list[WaitingOut]


class AdmittedOut(Out):
    """The device that it is now. `stored` and the rest count values of messages that were stored at once; `waiting`
    messages are stored soon by ingest."""

    device: DeviceOut
    messages: int
    stored: int
    duplicate: int
    conflict: int
    quarantined: int
    waiting: int


class LobbyRuleOut(Out):
    """Whoever a format calls so is of this model: admitted without a look, by the word of who made the rule."""

    rule_id: str
    format: str
    pattern: Annotated[str, Field(description="The whole identity; * is any characters, ? is one.")]
    model: str
    region: str
    made_at: datetime
    made_by: str
    admitted: Annotated[int, Field(description="How many devices it admitted.")]


class AliasOut(Out):
    """What a format calls a device."""

    format: str
    external_id: str
    aliased_at: datetime


def show_waiting(message: KeptMessage) -> WaitingOut:
    """A waiting message as far as it is shown."""
    return WaitingOut(
        topic=message.topic,
        received_at=message.received_at,
        size_bytes=message.size_bytes,
        payload=message.payload[:_SHOWN_BYTES].decode("utf-8", "replace"),
    )


def show_unknown(unknown: Unknown) -> UnknownOut:
    """One of the lobby."""
    return UnknownOut.model_validate(unknown)
