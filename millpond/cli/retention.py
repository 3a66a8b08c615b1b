"""`millpond retention`: delete what is old now, or say what would go."""

import json as jsonlib
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from millpond.cli import WrongUse, app
from millpond.cli.jobs import At, parse_at
from millpond.cli.progress import CountedProgress
from millpond.cli.services import start

if TYPE_CHECKING:
    from millpond.retention import RetentionSummary


@app.command()
def retention(
    at: At = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would go, and delete nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Delete what is older than the settings `MILLPOND_…_KEEP_DAYS` say, as the scheduler does every day.

    It deletes a few thousand rows at a time, and may be stopped and run again at any time.
    """
    from millpond.kernel.db import connect
    from millpond.retention import end_what_is_old
    from millpond.services import require_schema

    settings = start("database_url")
    require_schema(settings)
    now = settings.make_clock().now()
    moment = parse_at(at, now)
    if moment > now and not dry_run:
        raise WrongUse(f"--at {moment.isoformat()} has not come yet: what is young now may be old then; try --dry-run")
    with connect(settings.database_url.get_secret_value()) as conn, CountedProgress("retention") as advance:
        summary = end_what_is_old(conn, moment, settings, dry_run=dry_run, on_progress=advance)
    if json:
        typer.echo(jsonlib.dumps({"at": moment.isoformat(), "dry_run": dry_run, **asdict(summary)}))
    else:
        _show(summary, moment, dry_run)


def _show(summary: "RetentionSummary", at: datetime, dry_run: bool) -> None:
    if summary.deleted:
        table = Table()
        table.add_column("what")
        table.add_column("would go" if dry_run else "gone", justify="right")
        for what, rows in summary.deleted.items():
            table.add_row(what, f"{rows:,}")
        Console().print(table)
    verb = "would be deleted" if dry_run else "deleted"
    typer.echo(f"{summary.rows_deleted:,} rows {verb} as of {at.isoformat()}")
