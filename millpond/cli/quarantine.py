"""Commands for what was refused."""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from millpond.cli import app
from millpond.cli.jobs import parse_at
from millpond.cli.opened import opened
from millpond.cli.progress import CountedProgress
from millpond.cli.tables import make_table, short_time
from millpond.kernel.errors import MillpondError

if TYPE_CHECKING:
    from ingest.storing.retry import RetrySummary
    from ingest.workbench.dump import DumpRow
    from ingest.workbench.nouns import Read, RefusedItem

quarantine = typer.Typer(no_args_is_help=True, help="Look after what was refused.")
app.add_typer(quarantine, name="quarantine")

Number = Annotated[int, typer.Argument(metavar="NUMBER", help="As `list` shows it.", show_default=False)]
Code = Annotated[str | None, typer.Option(help="Why it was refused, as `groups` names it.")]
Model = Annotated[str | None, typer.Option(help="Only of devices of this model.")]
Serial = Annotated[str | None, typer.Option(help="Only of this device.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and change nothing.")]
_BY = "operator:command"


@quarantine.command("list")
def list_(
    code: Code = None,
    model: Model = None,
    serial: Serial = None,
    topic: Annotated[str | None, typer.Option(help="Only of topics that begin so.")] = None,
    since: Annotated[str | None, typer.Option(help="Only what came from then on, RFC 3339.")] = None,
    until: Annotated[str | None, typer.Option(help="Only what came before.")] = None,
    stored: Annotated[bool, typer.Option("--stored", help="What was stored after all, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most items, newest first.")] = 50,
) -> None:
    """What was refused and why, newest first."""
    from ingest.workbench.nouns import Filter
    from ingest.workbench.store import select_refused_items

    with opened() as (_, conn, at):
        begin, end = (None if text is None else parse_at(text, at) for text in (since, until))
        items = select_refused_items(conn, Filter(code, model, serial, topic, begin, end, stored), limit=limit)
    if items:
        Console(markup=False, emoji=False).print(_items_table(items))
    typer.echo(f"{len(items):,} items")


def _items_table(items: "Sequence[RefusedItem]") -> Table:
    table = make_table("number", "received", "device", "item", "code", "reason")
    for one in items:
        at = short_time(one.received_at)
        table.add_row(str(one.quarantine_id), at, one.serial, one.item or "all", one.code, one.reason)
    return table


@quarantine.command()
def groups() -> None:
    """What is refused, by its reason and its device's model, most first."""
    from ingest.workbench.store import select_refused_groups

    with opened() as (_, conn, _at):
        found = select_refused_groups(conn)
    table = make_table("code", "model", "items", "messages", "devices", "last", "for example")
    for one in found:
        counts = (f"{one.items:,}", f"{one.messages:,}", f"{one.serials:,}")
        table.add_row(one.code, one.model, *counts, short_time(one.last_at), one.example)
    if found:
        Console(markup=False, emoji=False).print(table)
    typer.echo(f"{sum(one.items for one in found):,} items are refused")


@quarantine.command()
def show(
    number: Number,
    raw: Annotated[bool, typer.Option("--bytes", help="Write just the message's bytes, to mend them.")] = False,
) -> None:
    """One refused item's message: its bytes, with the place where they break, and how it is read now."""
    from ingest.storing.terms import Terms
    from ingest.workbench.dump import dump_rows, find_break
    from ingest.workbench.mending import read_message, require_message
    from ingest.workbench.store import select_edits, select_items_of_message

    with opened() as (settings, conn, _at):
        message = require_message(conn, number)
        if raw:
            sys.stdout.buffer.write(message.payload)
            return
        items, edits = select_items_of_message(conn, message), select_edits(conn, message)
        read = read_message(conn, message, Terms.from_settings(settings))
    broken = find_break(message.payload)
    typer.echo(f"{message.topic}\n{message.received_at.isoformat()}, {message.size_bytes:,} bytes")
    for line in _dump_lines(dump_rows(message.payload, broken)):
        typer.echo(line)
    if broken is not None:
        typer.echo(f"it breaks at byte {broken:,}")
    for item in items:
        typer.echo(f"{item.item or 'all'}  {item.code}: {item.reason}{_since(item)}")
    typer.echo("read now:" if read else "read now: nothing")
    for line in map(_read_line, read):
        typer.echo(line)
    for edit in edits:
        typer.echo(f"mended by {edit.edited_by} at {edit.edited_at.isoformat()}: {edit.note or 'no note'}")


def _since(item: "RefusedItem") -> str:
    return f" (stored after all at {item.stored_at.isoformat(timespec='seconds')})" if item.stored_at else ""


def _dump_lines(rows: "Sequence[DumpRow]") -> Iterator[str]:
    for row in rows:
        yield f"{row.offset:06x}  {' '.join(row.hexadecimal):<23}  {''.join(row.text)}"
        if row.broken is not None:
            yield f"{'':8}{'   ' * row.broken}^^{'':{23 - 3 * row.broken}}{' ' * row.broken}^"


def _read_line(one: "Read") -> str:
    if one.code:
        return f"  {one.serial}  {one.item or 'all'}  {one.code}: {one.reason}"
    at = "" if one.measured_at is None else one.measured_at.isoformat()
    return f"  {one.serial}  {one.item}  {one.metric} = {one.value} {one.unit}  {at}"


@quarantine.command()
def edit(
    number: Number,
    file: Annotated[typer.FileBinaryRead, typer.Argument(help="The mended payload; - is stdin.", show_default=False)],
    topic: Annotated[str | None, typer.Option(help="The topic, where that was wrong.")] = None,
    note: Annotated[str | None, typer.Option(help="Why, for who asks later.")] = None,
    dry_run: DryRun = False,
) -> None:
    """Store a refused message as FILE has it, under the time at which it came; the message as it came stays.

    `show NUMBER --bytes` writes what came. The same twice changes nothing. The exit is 1 while something is refused.
    """
    from ingest.storing.terms import Terms
    from ingest.workbench.mending import mend_message

    with opened() as (settings, conn, at):
        terms, payload = Terms.from_settings(settings), file.read()
        mended = mend_message(
            conn, number, terms, payload=payload, topic=topic, note=note, at=at, by=_BY, dry_run=dry_run
        )
    for line in map(_read_line, mended.read):
        typer.echo(line)
    tally = mended.tally
    typer.echo(
        f"values: {tally.stored:,} {'would be stored' if dry_run else 'stored'}, {tally.duplicate:,} duplicate,"
        f" {tally.conflict:,} in conflict, {tally.quarantined:,} quarantined"
    )
    if mended.left or tally.quarantined:
        raise MillpondError("something of it is refused still")


@quarantine.command()
def retry(
    number: Annotated[int | None, typer.Argument(metavar="NUMBER", help="Just this one's message.")] = None,
    code: Annotated[str, typer.Option(help="Why the items were refused, as `groups` names it.")] = "refused",
    model: Model = None,
    serial: Serial = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Most messages, oldest first; all without it.")] = None,
    dry_run: DryRun = False,
) -> None:
    """Store messages after all that lie in quarantine, once the cause of their refusal is gone.

    Their bytes are decoded again as what they were when they came first, and stored as ingest stores them: twice
    changes nothing. What is stored leaves the list of quarantine; what is refused again stays, and then the exit is 1.
    """
    from ingest.storing.retry import retry_quarantine
    from ingest.storing.retry_store import Chosen, count_reasons_to_retry
    from ingest.storing.terms import Terms
    from ingest.workbench.mending import retry_one

    with opened() as (settings, conn, at), CountedProgress("messages") as advance:
        terms = Terms.from_settings(settings)
        if number is not None:
            summary = retry_one(conn, number, terms, at=at, dry_run=dry_run)
        else:
            chosen = Chosen(code, model, serial)
            summary = retry_quarantine(conn, chosen, terms, at=at, most=limit, dry_run=dry_run, on_progress=advance)
        waiting = {} if summary.messages else count_reasons_to_retry(conn)
    if not summary.messages:
        typer.echo(_nothing(code, waiting))
        return
    typer.echo(_sentence(summary, "would be stored" if dry_run else "stored after all"))
    if summary.refused:
        raise MillpondError(f"{summary.refused:,} messages are refused still: see /ops/quarantine and the log")


def _nothing(code: str, waiting: dict[str, int]) -> str:
    """That no message was refused so, and what `--code` may name instead."""
    others = ", ".join(f"{other} {messages:,}" for other, messages in waiting.items())
    return f"no message waits as {code}; by --code there are: {others or 'none'} (rows of files: import the file again)"


def _sentence(summary: "RetrySummary", stored: str) -> str:
    tally = summary.tally
    values = f"{tally.stored:,} stored, {tally.duplicate:,} duplicate, {tally.conflict:,} in conflict"
    return (
        f"{summary.messages:,} messages: {summary.stored:,} {stored}, {summary.refused:,} refused still,"
        f" {summary.in_part:,} kept without all their bytes; values: {values}, {tally.quarantined:,} quarantined"
    )
