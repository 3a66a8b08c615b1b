"""The words of the workbench: what was refused, how it is read now, and what it was mended to."""

from dataclasses import dataclass
from datetime import datetime

from ingest.nouns import Tally


@dataclass(frozen=True, slots=True)
class Filter:
    """Which refused items: None leaves a question open. `topic` is its beginning; times are in [since, until)."""

    code: str | None = None
    model: str | None = None
    serial: str | None = None
    topic: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    stored: bool = False


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """One item in quarantine; `beginning` is up to 600 bytes of the message's `size_bytes`, exactly as they came."""

    quarantine_id: int
    received_at: datetime
    serial: str
    model: str | None
    item: str
    items: int
    code: str
    reason: str
    stored_at: datetime | None
    topic: str
    beginning: bytes
    size_bytes: int

    @property
    def payload(self) -> str:
        """The beginning as text; bytes that are no UTF-8 show as replacement characters."""
        return self.beginning.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class RefusedGroup:
    """What is refused for one reason of devices of one model; `model` is empty where the device is not registered."""

    code: str
    model: str
    messages: int
    items: int
    serials: int
    first_at: datetime
    last_at: datetime
    example: str


@dataclass(frozen=True, slots=True)
class Edit:
    """What a message was mended to, by whom and when."""

    topic: str
    payload: bytes
    note: str | None
    edited_at: datetime
    edited_by: str


@dataclass(frozen=True, slots=True)
class Read:
    """One thing that a message would become now: a reading, or a rejection with its code and reason."""

    serial: str
    item: str
    metric: str = ""
    value: float | str | None = None
    unit: str = ""
    measured_at: datetime | None = None
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of a mended message: its values, and how many items of the original are refused still."""

    tally: Tally
    left: int
    read: tuple[Read, ...] = ()
