"""What the jobs' commands show a person: the forecasts that come soonest, and what became of the offers."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from devices.depletion import name_dates

if TYPE_CHECKING:
    from forecasting.nouns import ForecastLine
    from offers.nouns import OfferSummary

_MOST_ROWS = 20


def tell_forecast(line: "ForecastLine") -> dict[str, Any]:
    """What `--json` prints of a forecast, by the names that others rely on."""
    return {
        "serial": line.serial,
        "consumable": line.consumable,
        "remaining_pct": line.remaining_pct,
        **name_dates(line.dates),
        "method": line.method,
        "reason": line.reason,
        "reason_code": line.reason_code,
    }


def show_forecasts(lines: Sequence["ForecastLine"]) -> None:
    """The forecasts that come soonest, those without a date last; and how many more there are."""
    dated = sorted((line.dates.p50, i) for i, line in enumerate(lines) if line.dates)
    soonest = [lines[i] for _, i in dated] + [line for line in lines if not line.dates]
    table = Table(title="Down to the threshold, soonest first", title_justify="left")
    for name in ("serial", "consumable", "remaining", "P10", "P50", "P90", "method, or why none"):
        table.add_column(name, justify="right" if name == "remaining" else "left", overflow="fold")
    for line in soonest[:_MOST_ROWS]:
        remaining = "–" if line.remaining_pct is None else f"{line.remaining_pct:.1f} %"
        days = [_day(at) for at in name_dates(line.dates).values()]
        table.add_row(escape(line.serial), escape(line.consumable), remaining, *days, line.reason or line.method)
    Console().print(table)
    if len(soonest) > _MOST_ROWS:
        typer.echo(f"and {len(soonest) - _MOST_ROWS:,} more: --json prints all")


def _day(at: datetime | None) -> str:
    return "–" if at is None else f"{at:%Y-%m-%d}"


def show_offers(summary: "OfferSummary", at: datetime) -> None:
    """One line of what a run of the offers job did."""
    typer.echo(
        f"{summary.issued:,} offers issued at {at.isoformat()}, {summary.credited:,} of them credited to staff;"
        f" {summary.candidates:,} candidates looked at, {summary.not_issued:,} not issued, {summary.failed:,} failed;"
        f" {summary.withdrawn:,} offers withdrawn, {summary.expired:,} expired"
    )
