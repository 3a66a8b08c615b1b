"""Commands that read files: `millpond import devices`, `millpond import readings`, `millpond decode`."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from millpond.cli import app
from millpond.cli.progress import CountedProgress
from millpond.cli.services import start

if TYPE_CHECKING:
    from ingest.files.importing import ImportSummary

imports = typer.Typer(
    no_args_is_help=True, help="Bring devices, readings, products, or what fits what, in from a file."
)
app.add_typer(imports, name="import")

File = Annotated[
    Path,
    typer.Argument(
        exists=True, dir_okay=False, readable=True, metavar="FILE", show_default=False, help="CSV in UTF-8, or Parquet."
    ),
]


ClaimCodes = Annotated[
    Path | None,
    typer.Option(
        dir_okay=False, writable=True, help="Add serial,claim_code for devices without an owner or a code to this CSV."
    ),
]


Credentials = Annotated[
    Path | None,
    typer.Option(
        dir_okay=False, writable=True, help="Issue a credential to each device without one, and add it to this CSV."
    ),
]


@imports.command()
def devices(file: File, claim_codes: ClaimCodes = None, credentials: Credentials = None) -> None:
    """Register the devices of a file with the columns serial, model, region, customer, installed_at.

    Region (a climate region's name) and customer (your own key, created when new) may be empty. A device that is there
    gets the region, and the customer if it never had one; what else differs is ignored and counted. Running it again
    changes nothing. Bad rows are named one by one, the good ones are stored, and then the exit is 1.
    """
    from devices.importing import Provisioning, import_devices
    from millpond.kernel.db import connect
    from millpond.services import require_schema
    from offers.ownership import assign_device

    settings = start("database_url")
    require_schema(settings)
    with connect(settings.database_url.get_secret_value()) as conn, CountedProgress("devices") as advance:
        at = settings.make_clock().now()
        provision = Provisioning(settings.device_keys(), credentials) if credentials else None
        result = import_devices(
            conn, file, at=at, assign=assign_device, on_progress=advance, claim_codes=claim_codes, provision=provision
        )
    for fault in result.faults:
        typer.echo(fault, err=True)
    typer.echo(
        f"devices registered: {result.registered:,}; there already: {result.unchanged:,};"
        f" rows refused: {len(result.faults):,}" + (f"; updated: {result.updated:,}" if result.updated else "")
    )
    if ignored := [f"{count:,} other {what}" for what, count in result.ignored.items() if count]:
        typer.echo(f"ignored: {', '.join(ignored)}: an operator changes them with PATCH /v1/devices/SERIAL", err=True)
    if claim_codes is not None:
        typer.echo(f"claim codes written to {claim_codes}: {result.claim_codes:,}")
    if credentials is not None:
        typer.echo(f"credentials written to {credentials}: {result.credentials:,}")
    if result.faults:
        raise typer.Exit(1)


@imports.command()
def readings(file: File) -> None:
    """Store the readings of a file with the columns serial, metric, ts, value.

    A ts is RFC 3339 with an offset, or epoch milliseconds. Every row is stored, found to be a duplicate or in conflict
    with what is stored, or put into quarantine with its line number; where rows were refused the exit is 1. Running it
    again changes nothing, also after it was stopped half-way. Parquet needs `pip install pyarrow`.
    """
    from ingest.files.importing import import_readings
    from millpond.kernel.db import connect
    from millpond.services import require_schema

    settings = start("database_url")
    require_schema(settings)
    future, past = timedelta(minutes=settings.clock_future_minutes), timedelta(days=settings.import_past_days)
    with connect(settings.database_url.get_secret_value()) as conn, CountedProgress("readings") as advance:
        at = settings.make_clock().now()
        summary = import_readings(conn, file, at=at, clock_future=future, past=past, on_progress=advance)
    _name_refusals(file, summary)
    tally = summary.tally
    known = f" ({summary.known:,} bad and in quarantine already)" if summary.known else ""
    typer.echo(
        f"{tally.received:,} rows: {tally.stored:,} stored, {tally.duplicate:,} duplicate{known}, {tally.conflict:,} in"
        f" conflict, {tally.quarantined:,} quarantined"
    )
    if summary.refused:
        reasons = ", ".join(f"{code} {rows:,}" for code, rows in summary.reasons.most_common())
        typer.echo(f"refused by reason: {reasons}")
        raise typer.Exit(1)


def _name_refusals(file: Path, summary: "ImportSummary") -> None:
    for refusal in summary.refusals:
        typer.echo(f"{file}:{refusal.item}: {refusal.reason}", err=True)
    if summary.refused:
        more = summary.refused - len(summary.refusals)
        named = f"{more:,} more bad rows are not named here; " if more else ""
        typer.echo(f"{named}all are kept in quarantine: see /ops/quarantine", err=True)
