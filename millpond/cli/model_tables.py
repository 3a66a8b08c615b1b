"""What is shown of a fitted model: its parameters and how good it is, for a person and for a machine."""

from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from segments.models.store import Fitted, ModelKind


def tell_model(kind: "ModelKind", model: "Fitted") -> dict[str, Any]:
    """What `--json` prints: all but the trees."""
    return {
        "kind": kind.value,
        "at": model.at.isoformat(),
        "customers": model.customers,
        "parameters": model.parameters,
        "scores": model.scores,
    }


def show_model(kind: "ModelKind", model: "Fitted") -> None:
    """A model in a few lines and a table."""
    typer.echo(f"{kind.value}: fitted on {model.customers:,} customers as of {model.at.isoformat()}")
    if kind.value == "worth":
        _show_worth(model)
    else:
        _show_propensity(model)


def _show_worth(model: "Fitted") -> None:
    buying = ", ".join(f"{name} {value:.3f}" for name, value in model.parameters["buying"].items())
    typer.echo(f"  BG/NBD, times in days: {buying}")
    for currency, of_it in model.parameters["value"].items():
        typer.echo(f"  Gamma-Gamma, {currency}, minor units: " + ", ".join(f"{k} {v:.2f}" for k, v in of_it.items()))
    if scores := model.scores:
        expected = (
            f"{scores['expected']:,.0f} expected ({scores['reference']['expected']:,.0f} at everybody's pace so far)"
        )
        error = f"error a customer {scores['error']:.3f} ({scores['reference']['error']:.3f})"
        typer.echo(f"  {scores['holdout_days']} days held out: {scores['happened']:,} purchases, {expected}; {error}")


def _show_propensity(model: "Fitted") -> None:
    scores = model.scores
    typer.echo(
        f"  last {model.parameters['horizon_days']} days: {scores['happened']:,} of {scores['pairs']:,} pairs bought"
    )
    table = Table(title="how good", title_justify="left")
    for name in ("", "Brier", "AUC"):
        table.add_column(name, justify="right" if name else "left")
    for name, figures in (("trees", scores), ("recency and frequency alone", scores["reference"])):
        table.add_row(name, f"{figures['brier']:.5f}", f"{figures['auc']:.3f}")
    Console().print(table)
    deciles = Table(title="a tenth of the pairs each", title_justify="left")
    for name in ("expected", "bought"):
        deciles.add_column(name, justify="right")
    for decile in scores["deciles"]:
        deciles.add_row(f"{100 * decile['expected']:.2f} %", f"{100 * decile['happened']:.2f} %")
    Console().print(deciles)
