"""`millpond backtest`: how good the forecasts would have been, against what happened."""

import json as jsonlib
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer
from rich.console import Console
from rich.table import Table

from millpond.cli import app
from millpond.cli.jobs import At, parse_at
from millpond.cli.services import start

if TYPE_CHECKING:
    from forecasting.backtest import Score

_FORECASTERS = ("auto", "fixed")
_COLUMNS = ("method", "scored", "not ended", "too early", "median abs", "mean abs", "bias", "in P10–P90", "late")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
WithForecaster = Annotated[str, typer.Option(help="auto (Prophet on cohorts with history) or fixed.")]


@app.command()
def backtest(at: At = None, forecaster: WithForecaster = "auto", json: Json = False) -> None:
    """Score the forecasts that would have been made in the last six months, per method, against what happened.

    Errors are in days: of the P50 against the day the part reached its threshold. Parts that were replaced or in use
    before that are counted apart. It writes nothing.
    """
    from forecasting.backtest import ORIGINS_DAYS, run_backtest
    from millpond.kernel.db import connect
    from millpond.services import require_schema

    if forecaster not in _FORECASTERS:
        raise typer.BadParameter(f"{forecaster!r} is none of {', '.join(_FORECASTERS)}", param_hint="--forecaster")
    settings = start("database_url")
    moment = parse_at(at, settings.make_clock().now())
    require_schema(settings)
    with connect(settings.database_url.get_secret_value()) as conn, Console(stderr=True).status("forecasting the past"):
        scores = run_backtest(conn, moment, forecaster=cast(Literal["auto", "fixed"], forecaster))
    if json:
        methods = [{name: _to_json(value) for name, value in asdict(score).items()} for score in scores]
        summary = {"at": moment.isoformat(), "origins_days": list(ORIGINS_DAYS), "methods": methods}
        typer.echo(jsonlib.dumps(summary))
    elif scores:
        _print_table(scores)
    else:
        typer.echo("no part was forecast at any moment of the last six months: there is nothing to score")


def _to_json(value: object) -> object:
    """JSON has no NaN; an error that nobody could measure is null."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _print_table(scores: Sequence["Score"]) -> None:
    table = Table(title="Forecasts against what happened, errors in days", title_justify="left")
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name == "method" else "right")
    for s in scores:
        counts = (f"{s.scored:,}", f"{s.censored:,}", f"{s.too_early:,}")
        errors = (_days(s.median_abs_days), _days(s.mean_abs_days), _days(s.bias_days, sign="+"))
        table.add_row(s.method, *counts, *errors, _share(s.coverage_80_ratio), _share(s.late_ratio))
    Console().print(table)


def _days(days: float, sign: str = "") -> str:
    return "–" if math.isnan(days) else f"{days:{sign}.1f}"


def _share(ratio: float) -> str:
    return "–" if math.isnan(ratio) else f"{ratio:.0%}"
