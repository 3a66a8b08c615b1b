"""The words of the lobby: who waits in it, and the rules by which some are admitted."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class LobbyState(StrEnum):
    """What was said about an unknown device. `admitted`: it is registered, and nothing of it waits any more."""

    WAITING = "waiting"
    REFUSED = "refused"
    ADMITTED = "admitted"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A device that speaks and is not registered.

    `name` is what quarantine calls it, `identity` what its `format` does: its serial where the format is `by_serial`.
    `messages` and `bytes` wait now, `dropped` messages were not kept. `trouble` is why a rule could not admit it.
    `said_model` is what its messages say it is, in their own words, `other_names` what else its format calls it.
    """

    lobby_id: str
    name: str
    format: str
    identity: str
    by_serial: bool
    state: LobbyState
    first_heard_at: datetime
    last_heard_at: datetime
    topic: str
    messages: int
    bytes: int
    dropped: int
    decided_at: datetime | None
    decided_by: str | None
    trouble: str | None
    said_model: str
    other_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LobbyRule:
    """Whoever is called by `pattern` in a format is of this model: a person's word, before anybody comes."""

    rule_id: str
    format: str
    pattern: str
    model: str
    region: str
    made_at: datetime
    made_by: str
    admitted: int = 0


@dataclass(frozen=True, slots=True)
class Guess:
    """A model whose profile reads `readings` values of what waits, and refuses `refused`."""

    model: str
    readings: int
    refused: int
