"""`millpond segments`: what customers have in common, what they are worth, and what they will want."""

import getpass
import json as jsonlib
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from millpond.cli import app
from millpond.cli.jobs import At, job_moment
from millpond.cli.progress import CountedProgress
from millpond.cli.services import start
from millpond.kernel.clock import Clock

if TYPE_CHECKING:
    from millpond.kernel.db import WriteConnection
    from millpond.kernel.settings import Settings

segments = typer.Typer(no_args_is_help=True, help="What customers have in common, are worth, and will want.")
app.add_typer(segments, name="segments")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@segments.command()
def fit(
    at: At = None,
    only: Annotated[Literal["worth", "propensity"] | None, typer.Option(help="One of the two models; both.")] = None,
    json: Json = False,
) -> None:
    """Fit the models of what customers are worth and will want on what was known at a moment; show how good they are.

    The job `score_customers` does it by itself now and then. Propensities need `pip install lightgbm`.
    """
    from millpond.cli.model_tables import show_model, tell_model
    from millpond.kernel.db import connect
    from segments.models.job import ScoringRules, fit_model
    from segments.models.store import ModelKind, select_model

    settings, clock = _ready()
    moment, rules = job_moment(at, clock), ScoringRules.from_settings(settings)
    with connect(settings.database_url.get_secret_value(), application="millpond-command") as conn:
        for kind in [ModelKind(only)] if only else list(ModelKind):
            said = fit_model(conn, kind, moment, rules, made_at=clock.now())
            model = select_model(conn, kind, moment)
            if model is None or model.at != moment:
                typer.echo(said, err=True)
            elif json:
                typer.echo(jsonlib.dumps(tell_model(kind, model)))
            else:
                show_model(kind, model)


@segments.command()
def score(at: At = None, json: Json = False) -> None:
    """Score all customers who agree to be profiled, as they were known at a moment, by the newest models up to then."""
    from millpond.kernel.db import connect
    from segments.models.job import ScoringRules, score_customers

    settings, clock = _ready()
    moment, rules = job_moment(at, clock), ScoringRules.from_settings(settings)
    database = settings.database_url.get_secret_value()
    with connect(database, application="millpond-command") as conn, CountedProgress("scoring") as advance:
        counts = score_customers(conn, moment, rules, made_at=clock.now(), on_progress=advance)
    if json:
        typer.echo(jsonlib.dumps({"at": moment.isoformat(), **counts}))
        return
    rows = ", ".join(f"{count:,} {what}" for what, count in counts.items() if what != "customers")
    typer.echo(
        f"{counts['customers']:,} customers scored as of {moment.isoformat()}: {rows or 'no model is fitted yet'}"
    )


@segments.command("list")
def list_(json: Json = False) -> None:
    """All segments, those that ship and your own, with their newest size."""
    from millpond.cli.segment_tables import show_segments, tell_segment
    from segments.store import select_segments

    with _open() as conn:
        found = select_segments(conn)
    if json:
        typer.echo(jsonlib.dumps([tell_segment(each) for each in found]))
    else:
        show_segments(found)


@segments.command()
def show(name: Annotated[str, typer.Argument(help="Of the segment.")]) -> None:
    """One segment: its condition, what it needs, and its newest sizes."""
    from millpond.cli.segment_tables import show_segment
    from segments.store import select_segment, select_sizes

    clock = _ready()[1]
    with _open() as conn:
        show_segment(select_segment(conn, name), select_sizes(conn, name, since=clock.now() - timedelta(days=30)))


@segments.command()
def refresh(
    at: At = None,
    complete: Annotated[bool, typer.Option("--all", help="Of all customers, not of those who changed alone.")] = False,
    json: Json = False,
) -> None:
    """Renew the facts of customers and who is in which segment, as the job `segments` does by itself."""
    from segments.refreshing import run_refresh

    clock = _ready()[1]
    moment = job_moment(at, clock)
    with _open() as conn, CountedProgress("looking at customers") as advance:
        done = run_refresh(
            conn, moment, asked_at=clock.now(), complete=complete, on_progress=lambda count: advance(count, 0)
        )
    if json:
        typer.echo(jsonlib.dumps({"at": moment.isoformat(), **asdict(done)}))
        return
    typer.echo(
        f"{done.customers:,} customers looked at as of {moment.isoformat()}: {done.began:,} memberships began, "
        f"{done.ended:,} ended"
    )
    if done.failed:
        typer.echo(f"too slow, and as they were: {', '.join(done.failed)}", err=True)
        raise typer.Exit(1)


@segments.command()
def preview(
    file: Annotated[Path, typer.Argument(help="A condition, as JSON.", dir_okay=False, exists=True)],
    examples: Annotated[int, typer.Option(min=0, max=50, help="So many customers are shown.")] = 0,
    json: Json = False,
) -> None:
    """How many customers a condition fits, what PostgreSQL expects first. Whom you are shown is in the audit log."""
    from segments.defining import prepare_condition
    from segments.previewing import Bounds, check_cost, preview_condition
    from segments.store import select_segments

    settings, clock = _ready()
    bounds, moment = Bounds.from_settings(settings), clock.now()
    with _open() as conn, conn.transaction():
        ready = prepare_condition(select_segments(conn), _read_json(file))
        expected = check_cost(conn, ready.compiled, ready.needs, at=moment, bounds=bounds)
        typer.echo(f"expected: about {expected.customers:,} customers", err=True)
        found = preview_condition(
            conn,
            ready.compiled,
            ready.needs,
            at=moment,
            bounds=bounds,
            actor=f"operator:{getpass.getuser()}",
            examples=examples,
        )
    if json:
        shown = [{"customer_id": each.customer_id, "evidence": each.evidence} for each in found.examples]
        typer.echo(jsonlib.dumps({"expected": expected.customers, "size": found.size, "examples": shown}))
        return
    typer.echo(f"{found.size:,} customers")
    for each in found.examples:
        typer.echo(f"{each.customer_id}  {jsonlib.dumps(each.evidence, ensure_ascii=False)}")


def _read_json(file: Path) -> Any:
    from millpond.kernel.errors import InvalidInput

    try:
        return jsonlib.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{file} is no JSON: {error}") from error


def _open() -> "WriteConnection":
    from millpond.kernel.db import connect

    return connect(_ready()[0].database_url.get_secret_value(), application="millpond-command")


def _ready() -> "tuple[Settings, Clock]":
    from millpond.services import require_schema

    settings = start("database_url")
    require_schema(settings)
    return settings, settings.make_clock()
