"""Commands that run a job once for a stated moment, and the token for development."""

import json as jsonlib
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import typer

from millpond.cli import WrongUse, app
from millpond.cli.job_tables import show_forecasts, show_offers, tell_forecast
from millpond.cli.progress import CountedProgress
from millpond.cli.services import start
from millpond.kernel.clock import Clock, require_aware

At = Annotated[str | None, typer.Option("--at", help="The moment, RFC 3339 (a date alone is its midnight UTC); now.")]


def parse_at(text: str | None, now: datetime, option: str = "--at") -> datetime:
    """The moment that `option` states, in UTC, or now. WrongUse with one sentence for anything that is not one."""
    if text is None:
        return now
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongUse(f"{option} {text!r} is not a moment: write 2026-03-01 or 2026-03-01T09:00:00+09:00") from error
    if not 1970 <= moment.year < 2200:
        raise WrongUse(f"{option} {text!r} is beyond any reading: a moment lies between 1970 and 2200")
    if moment.tzinfo is None and len(text) == len("2026-03-01"):
        return moment.replace(tzinfo=UTC)
    try:
        return require_aware(moment)
    except ValueError as error:
        raise WrongUse(f"{option} {error}") from error


def job_moment(text: str | None, clock: Clock) -> datetime:
    """The moment a job is run for; one that has not come yet is allowed, and said on stderr."""
    now = clock.now()
    moment = parse_at(text, now)
    if moment > now:
        ahead = f"--at {moment.isoformat()} is ahead of the platform's clock, which says {now:%Y-%m-%dT%H:%M:%S+00:00}"
        typer.echo(f"{ahead}: what is stored is as of a moment that has not come", err=True)
    return moment


@app.command()
def forecast(
    at: At = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line per installation.")] = False,
    forecaster: Annotated[
        Literal["auto", "fixed"], typer.Option(help="auto (Prophet on cohorts with history) or fixed.")
    ] = "auto",
) -> None:
    """Date the moment when each installed part will be down to its threshold, as it was known at a moment.

    It stores the dates and shows those that come soonest; --json prints all.
    """
    from forecasting.job import run_forecasts
    from forecasting.store import select_forecast_lines
    from millpond.kernel.db import connect
    from millpond.services import require_schema

    settings = start("database_url")
    require_schema(settings)
    clock = settings.make_clock()
    moment = job_moment(at, clock)
    with connect(settings.database_url.get_secret_value()) as conn, CountedProgress("forecasting") as advance:
        summary = run_forecasts(conn, moment, made_at=clock.now(), forecaster=forecaster, on_progress=advance)
        lines = select_forecast_lines(conn, summary.run_id)
    if json:
        for line in lines:
            typer.echo(jsonlib.dumps(tell_forecast(line), default=_plain))
    elif lines:
        show_forecasts(lines)
    typer.echo(
        f"{summary.forecasts} forecasts for {summary.installations} installations at {moment.isoformat()}", err=True
    )


@app.command()
def offers(at: At = None, json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Issue the offers that are due at a moment."""
    from millpond.kernel.db import connect
    from millpond.services import require_schema
    from offers.job import issue_due_offers
    from offers.nouns import Rules

    settings = start("database_url")
    require_schema(settings)
    moment = job_moment(at, settings.make_clock())
    with connect(settings.database_url.get_secret_value()) as conn, CountedProgress("offers") as advance:
        summary = issue_due_offers(conn, moment, Rules.from_settings(settings), on_progress=advance)
    if json:
        typer.echo(jsonlib.dumps({"at": moment.isoformat(), **asdict(summary)}))
    else:
        show_offers(summary, moment)


@app.command()
def token(
    role: Annotated[str, typer.Option(help="customer, staff or operator.")],
    subject: Annotated[str, typer.Option(help="The customer's or staff member's id; any name for an operator.")],
    hours: Annotated[float, typer.Option(min=0.01, help="How long it is good for.")] = 12,
) -> None:
    """Mint an access token, signed with the role's key (MILLPOND_OPERATOR_JWT_SECRET, …) or MILLPOND_JWT_SECRET."""
    from api.auth import Role, sign_token
    from api.keys import build_token_keys

    settings = start("jwt_secret")
    if role not in set(Role):
        raise typer.BadParameter(f"{role!r} is none of {', '.join(Role)}", param_hint="--role")
    if not subject.strip():
        raise typer.BadParameter("it is empty: name whom the token is for", param_hint="--subject")
    now = settings.make_clock().now()
    typer.echo(sign_token(build_token_keys(settings), Role(role), subject, now, timedelta(hours=hours)))


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
