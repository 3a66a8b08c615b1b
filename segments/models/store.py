"""One function, one statement: the fitted models, and what was scored with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from millpond.kernel.arrays import bigints, doubles, moments
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.ids import CustomerId
from segments.models.cycles import Cycles
from segments.models.population import People
from segments.models.purchases import Pairs, to_moments
from segments.models.traces import CURRENCIES
from segments.models.worth import Purchases, Worth

_Q = load_queries("segments.models")


class ModelKind(StrEnum):
    """What a model says of customers."""

    WORTH = "worth"
    PROPENSITY = "propensity"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model as it is kept: fitted on `customers` as they were known at `at`."""

    model_id: int
    at: datetime
    made_at: datetime
    customers: int
    parameters: dict[str, Any]
    scores: dict[str, Any]
    body: str | None


def upsert_model(
    conn: WriteConnection,
    kind: ModelKind,
    at: datetime,
    *,
    made_at: datetime,
    customers: int,
    parameters: dict[str, Any],
    scores: dict[str, Any],
    body: str | None = None,
) -> None:
    """Keep a fitted model, in place of one that was fitted for the same moment."""
    values = {"kind": kind, "at": at, "made_at": made_at, "customers": customers, "body": body}
    conn.execute(_Q["upsert_model"], values | {"parameters": Jsonb(parameters), "scores": Jsonb(scores)})


def select_model(conn: ReadConnection, kind: ModelKind, at: datetime) -> Fitted | None:
    """The newest model of a kind that was fitted for a moment up to `at`."""
    with conn.cursor(row_factory=class_row(Fitted)) as cursor:
        return cursor.execute(_Q["select_model"], {"kind": kind, "at": at}).fetchone()


def replace_values(
    conn: WriteConnection,
    page: People,
    ids: Sequence[CustomerId],
    purchases: Purchases,
    worth: Worth,
    *,
    model_id: int,
    at: datetime,
    made_at: datetime,
) -> None:
    """What the customers of a page are worth; whoever is not among `ids` has no row any more."""
    values = {"customer_ids": list(ids), "model_id": model_id, "at": at, "made_at": made_at, "currencies": CURRENCIES}
    columns = {
        "purchases": bigints(purchases.repeats + 1),
        "p_alive": doubles(worth.p_alive),
        "expected": doubles(worth.expected_purchases),
        "values": doubles(worth.value),
        "clvs": doubles(worth.clv),
        "currency": bigints(purchases.currency),
    }
    conn.execute(_Q["delete_values"], {"after": page.after, "last": page.last, "customer_ids": list(ids)})
    conn.execute(_Q["upsert_values"], values | columns)


def replace_cycles(
    conn: WriteConnection, page: People, categories: Sequence[str], pairs: Pairs, cycles: Cycles, *, at: datetime
) -> None:
    """The cycles of the customers of a page, and none but these."""
    names = _name(page, categories, pairs.place.tolist(), pairs.category.tolist())
    columns = {
        "at": at,
        "purchases": bigints(pairs.purchases),
        "medians": doubles(cycles.median_days),
        "earlies": doubles(cycles.early_days),
        "lates": doubles(cycles.late_days),
        "lasts": moments(to_moments(pairs.last)),
    }
    conn.execute(_Q["delete_cycles"], {"after": page.after, "last": page.last, **names})
    conn.execute(_Q["upsert_cycles"], names | columns)


def replace_propensities(
    conn: WriteConnection,
    page: People,
    categories: Sequence[str],
    *,
    places: list[int],
    of_categories: list[int],
    propensities: Any,
    model_id: int,
    at: datetime,
) -> None:
    """The propensities of the customers of a page, and none but these."""
    names = _name(page, categories, places, of_categories)
    conn.execute(_Q["delete_propensities"], {"after": page.after, "last": page.last, **names})
    columns = {"model_id": model_id, "at": at, "propensities": doubles(propensities)}
    conn.execute(_Q["upsert_propensities"], names | columns)


def _name(page: People, categories: Sequence[str], places: list[int], numbers: list[int]) -> dict[str, list[str]]:
    return {"customer_ids": [page.ids[i] for i in places], "categories": [categories[i] for i in numbers]}
