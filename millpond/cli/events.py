"""`millpond import events` and `millpond events`: events from files, and those that could not be taken."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from millpond.cli import WrongUse, app
from millpond.cli.files import imports
from millpond.cli.opened import opened
from millpond.cli.progress import CountedProgress
from millpond.cli.tables import make_table, short_time
from millpond.kernel.errors import MillpondError, NotFound

if TYPE_CHECKING:
    from offers.taking.files import EventsSummary

events = typer.Typer(no_args_is_help=True, help="Look after what sources tell.")
app.add_typer(events, name="events")
quarantine = typer.Typer(no_args_is_help=True, help="Look after calls that could not be taken.")
events.add_typer(quarantine, name="quarantine")

File = Annotated[
    Path,
    typer.Argument(
        exists=True, dir_okay=False, readable=True, metavar="FILE", show_default=False, help="NDJSON, CSV or Parquet."
    ),
]
SourceName = Annotated[str, typer.Option("--source", help="Whose events they are: a source's name.")]
Number = Annotated[int, typer.Argument(metavar="NUMBER", help="As `list` shows it.", show_default=False)]
Reason = Annotated[str | None, typer.Option(help="Only what was refused for this, as `list` names it.")]
Source = Annotated[str | None, typer.Option(help="Only of this source.")]
Event = Annotated[str | None, typer.Option(help="Only of events of this name.")]


@imports.command("events")
def import_events_(file: File, source: SourceName) -> None:
    """Take the events of a file: Segment's calls a line (`.ndjson`, `.jsonl`), CSV or Parquet.

    Columns: event, user_id, anonymous_id, timestamp, message_id, type, …; every other one is a property (`sku`,
    `price`), `context.x` and `traits.x` go where they say. Rows end as they would by HTTP, also as orders. Running it
    again changes nothing. Refused rows are named, kept in the quarantine of events, and then the exit is 1.
    """
    from events.sources import require_source
    from events.terms import Terms
    from offers.taking.files import import_events

    with opened() as (settings, conn, at), CountedProgress("events") as advance:
        whose, terms = require_source(conn, source), Terms.from_settings(settings)
        summary = import_events(conn, file, whose, terms, at=at, on_progress=advance)
    _tell(file, summary)


def _tell(file: Path, summary: "EventsSummary") -> None:
    for number, reason, detail in summary.named:
        typer.echo(f"{file}:{number}: {reason}: {detail}", err=True)
    typer.echo(
        f"events stored: {summary.stored:,}; there already: {summary.repeated:,}; rows refused: {summary.refused:,}"
    )
    if summary.refused:
        typer.echo(f"refused by reason: {', '.join(f'{why} {rows:,}' for why, rows in summary.reasons.most_common())}")
        raise typer.Exit(1)


@events.command()
def unknown() -> None:
    """Events that are kept although the plan says nothing of them, most first."""
    from events.quarantine.store import select_unknown_events

    with opened() as (_, conn, _at):
        found = select_unknown_events(conn)
    table = make_table("event", "source", "events", "first", "last")
    for one in found:
        name = one.name or "(all names beyond the first thousand)"
        table.add_row(name, one.source, f"{one.events:,}", short_time(one.first_at), short_time(one.last_at))
    if found:
        Console(markup=False, emoji=False).print(table)
    typer.echo(f"{len(found):,} names are unknown")


@quarantine.command("list")
def list_(
    reason: Reason = None,
    source: Source = None,
    event: Event = None,
    replayed: Annotated[bool, typer.Option("--replayed", help="What was taken after all, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most calls, newest first.")] = 50,
) -> None:
    """Calls that could not be taken and why, newest first, and all that wait by reason."""
    from events.quarantine.nouns import Filter
    from events.quarantine.store import select_set_aside, select_set_aside_groups

    with opened() as (_, conn, _at):
        calls = select_set_aside(conn, Filter(reason, source, event, replayed), limit=limit)
        groups = select_set_aside_groups(conn)
    table = make_table("number", "came", "source", "event", "times", "reason", "why")
    for one in calls:
        who = (str(one.quarantine_id), short_time(one.first_at), one.source, one.name)
        table.add_row(*who, f"{one.times:,}", one.reason, one.detail)
    if calls:
        Console(markup=False, emoji=False).print(table)
    for group in groups:
        typer.echo(f"{group.reason}  {group.source}  {group.name or '(unread)'}: {group.calls:,}")
    typer.echo(f"{sum(group.calls for group in groups):,} calls wait")


@quarantine.command()
def show(number: Number) -> None:
    """One call that could not be taken: why, and its bytes."""
    from events.quarantine.store import select_set_aside_call

    with opened() as (_, conn, _at):
        call = select_set_aside_call(conn, number)
    if call is None:
        raise NotFound(f"nothing was set aside under the number {number}")
    typer.echo(f"{call.source}: {call.name or '(unread)'} ({call.known_as})")
    typer.echo(f"{call.reason}: {call.detail}")
    typer.echo(f"came {call.times:,} times, first {call.first_at.isoformat()}, last {call.last_at.isoformat()}")
    if call.replayed_at is not None:
        typer.echo(f"taken after all at {call.replayed_at.isoformat()}")
    typer.echo(call.raw.decode("utf-8", "backslashreplace"))


@quarantine.command()
def replay(
    number: Annotated[int | None, typer.Argument(metavar="NUMBER", help="Just this one.")] = None,
    reason: Reason = None,
    source: Source = None,
    event: Event = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Most calls, oldest first; all without it.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and change nothing.")] = False,
) -> None:
    """Take calls after all, once the plan was mended or the order has come. Twice changes nothing.

    What is refused again waits on, and then the exit is 1.
    """
    from attribution.hold_nouns import Ceilings
    from events.quarantine.nouns import Filter
    from events.terms import Terms
    from offers.taking.replay import replay_set_aside

    with opened() as (settings, conn, at):
        terms, chosen = Terms.from_settings(settings), Filter(reason, source, event)
        ceilings = Ceilings(settings.order_ceiling_minor, settings.day_ceiling_minor)
        done = replay_set_aside(conn, chosen, terms, at=at, only=number, most=limit, dry_run=dry_run, ceilings=ceilings)
    typer.echo(f"{done.taken:,} calls {'would be taken' if dry_run else 'taken'}, {done.refused:,} refused still")
    if done.refused:
        raise MillpondError(f"{done.refused:,} calls are refused still: see `millpond events quarantine list`")


@quarantine.command()
def drop(
    number: Annotated[int | None, typer.Argument(metavar="NUMBER", help="Just this one.")] = None,
    reason: Reason = None,
    source: Source = None,
    event: Event = None,
) -> None:
    """Let calls that wait go for good: one, or all of a reason, a source or an event."""
    from events.quarantine.nouns import Filter
    from events.quarantine.store import drop_set_aside

    if number is None and not (reason or source or event):
        raise WrongUse("say which: NUMBER, --reason, --source or --event")
    with opened() as (_, conn, _at):
        gone = drop_set_aside(conn, Filter(reason, source, event), only=number)
    typer.echo(f"{gone:,} calls dropped")
