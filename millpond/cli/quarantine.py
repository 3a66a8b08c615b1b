"""Commands for what was refused."""

from typing import TYPE_CHECKING, Annotated

import typer

from millpond.cli import app
from millpond.cli.progress import CountedProgress
from millpond.cli.services import start
from millpond.kernel.errors import MillpondError

if TYPE_CHECKING:
    from ingest.storing.retry import RetrySummary

quarantine = typer.Typer(no_args_is_help=True, help="Look after what was refused.")
app.add_typer(quarantine, name="quarantine")


@quarantine.command()
def retry(
    code: Annotated[str, typer.Option(help="Why the items were refused, as /ops/quarantine names it.")] = "refused",
    limit: Annotated[int | None, typer.Option(min=1, help="Most messages, oldest first; all without it.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and change nothing.")] = False,
) -> None:
    """Store messages after all that lie in quarantine, once the cause of their refusal is gone.

    Their bytes are decoded again as what they were when they came first, and stored as ingest stores them: twice
    changes nothing. What is stored leaves the list of quarantine; what is refused again stays, and then the exit is 1.
    """
    from ingest.formats.fleets import Fleets
    from ingest.formats.shipped import make_formats
    from ingest.nouns import Keeping, Limits
    from ingest.storing.retry import retry_quarantine
    from ingest.storing.retry_store import count_reasons_to_retry
    from millpond.kernel.db import connect
    from millpond.services import require_schema

    settings = start("database_url")
    require_schema(settings)
    with connect(settings.database_url.get_secret_value()) as conn, CountedProgress("messages") as advance:
        summary = retry_quarantine(
            conn,
            code,
            Limits.from_settings(settings),
            at=settings.make_clock().now(),
            keeping=Keeping.from_settings(settings),
            formats=make_formats(Fleets.from_settings(settings)),
            most=limit,
            dry_run=dry_run,
            on_progress=advance,
        )
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
