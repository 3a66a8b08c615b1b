"""`millpond segments`: what customers have in common, what they are worth, and what they will want."""

import json as jsonlib
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from millpond.cli import app
from millpond.cli.jobs import At, job_moment
from millpond.cli.progress import CountedProgress
from millpond.cli.services import start
from millpond.kernel.clock import Clock

if TYPE_CHECKING:
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


def _ready() -> "tuple[Settings, Clock]":
    from millpond.services import require_schema

    settings = start("database_url")
    require_schema(settings)
    return settings, settings.make_clock()
