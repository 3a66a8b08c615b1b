"""What was refused, as operators are told."""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.models import Out
from ingest.storing.retry import RetrySummary
from ingest.storing.retry_store import KeptMessage
from ingest.workbench.dump import find_break
from ingest.workbench.nouns import Edit, Mended, Read, RefusedItem


class RefusedOut(Out):
    """One refused item, with the beginning of its message as text."""

    quarantine_id: int
    received_at: datetime
    serial: Annotated[str, Field(description="Whose it is: a serial, or format/identity of an unknown device.")]
    model: str | None
    item: Annotated[str, Field(description="What of the message: empty for all of it, else sample/metric.")]
    items: Annotated[int, Field(description="How many refused items this stands for.")]
    code: str
    reason: str
    stored_at: Annotated[datetime | None, Field(description="When it was stored after all.")]
    topic: str
    payload: str
    size_bytes: int


class RefusedGroupOut(Out):
    """What is refused for one reason of devices of one model (empty where the device is not registered)."""

    code: str
    model: str
    messages: int
    items: int
    serials: int
    first_at: datetime
    last_at: datetime
    example: str


class ReadOut(Out):
    """One thing that the message would become: a reading, or a rejection with its code and reason."""

    serial: str
    item: str
    metric: str
    value: float | str | None
    unit: str
    measured_at: datetime | None
    code: str
    reason: str


class EditOut(Out):
    """What the message was mended to, by whom and when."""

    topic: str
    payload: str
    note: str | None
    edited_at: datetime
    edited_by: str


class RefusedDetail(Out):
    """A refused item's whole message, where it breaks, all that was refused of it, and how it is read now."""

    topic: str
    received_at: datetime
    size_bytes: int
    payload: Annotated[str, Field(description="As text, with replacement characters where it is no UTF-8.")]
    payload_base64: str
    broken_at: Annotated[int | None, Field(description="The byte at which it is no UTF-8 or no JSON.")]
    items: list[RefusedOut]
    read: list[ReadOut]
    edits: list[EditOut]


class RetriedOut(Out):
    """What became of refused messages that were stored again; values count like those of a message that came again."""

    messages: int
    stored: Annotated[int, Field(description="Messages of which nothing is refused any more.")]
    refused: Annotated[int, Field(description="Messages of which something is refused still.")]
    in_part: Annotated[int, Field(description="Messages that were kept without all their bytes.")]
    values_stored: int
    values_duplicate: int
    values_conflict: int
    values_quarantined: int
    dry_run: bool
    next_cursor: Annotated[str | None, Field(description="Ask again with it for those that follow, until it is null.")]


class MendedOut(Out):
    """What became of a mended message, and how many items of the original are refused still."""

    values_stored: int
    values_duplicate: int
    values_conflict: int
    values_quarantined: int
    left: int
    read: list[ReadOut]
    dry_run: bool


def show_item(item: RefusedItem) -> RefusedOut:
    """A refused item."""
    return RefusedOut.model_validate(item)


def show_message(
    message: KeptMessage, items: Sequence[RefusedItem], read: Sequence[Read], edits: Sequence[Edit]
) -> RefusedDetail:
    """A refused message with all that is known of it."""
    return RefusedDetail(
        topic=message.topic,
        received_at=message.received_at,
        size_bytes=message.size_bytes,
        payload=message.payload.decode("utf-8", "replace"),
        payload_base64=base64.b64encode(message.payload).decode(),
        broken_at=find_break(message.payload),
        items=[show_item(item) for item in items],
        read=[ReadOut.model_validate(one) for one in read],
        edits=[show_edit(edit) for edit in edits],
    )


def show_edit(edit: Edit) -> EditOut:
    """What it was mended to."""
    payload = edit.payload.decode("utf-8", "replace")
    return EditOut(
        topic=edit.topic, payload=payload, note=edit.note, edited_at=edit.edited_at, edited_by=edit.edited_by
    )


def show_retried(summary: RetrySummary, *, dry_run: bool, following: str | None = None) -> RetriedOut:
    """What a retry did, or would do."""
    tally = summary.tally
    return RetriedOut(
        messages=summary.messages,
        stored=summary.stored,
        refused=summary.refused,
        in_part=summary.in_part,
        values_stored=tally.stored,
        values_duplicate=tally.duplicate,
        values_conflict=tally.conflict,
        values_quarantined=tally.quarantined,
        dry_run=dry_run,
        next_cursor=following,
    )


def show_mended(mended: Mended, *, dry_run: bool) -> MendedOut:
    """What became of a mended message, or would."""
    tally = mended.tally
    return MendedOut(
        values_stored=tally.stored,
        values_duplicate=tally.duplicate,
        values_conflict=tally.conflict,
        values_quarantined=tally.quarantined,
        left=mended.left,
        read=[ReadOut.model_validate(one) for one in mended.read],
        dry_run=dry_run,
    )
