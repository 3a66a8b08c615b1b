"""Customers who buy, and look before they buy, by the thousand and from a seed: their rows put into a database."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from millpond.kernel.db import WriteConnection

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 400
END = BEGIN + timedelta(days=DAYS)
SKUS = ["REED-HEPA-H13", "REED-VAC-MAIN-BRUSH", "REED-TV-55", "REED-SOUNDBAR-3", "REED-GLOW-STRIP-55"]
"""One product of each of five categories: filter, brush, tv, soundbar, lamp."""
CATEGORIES = ["filter", "brush", "tv", "soundbar", "lamp"]
_MEAN_GAP_DAYS = np.array([60.0, 90.0, 700.0, 500.0, 250.0])
_LEAVES = 0.06
_LOOKS_FIRST = 0.7


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase: by which customer, of which product, on which day of the simulation."""

    customer: int
    product: int
    day: float


def customer_of(number: int) -> str:
    """The id of a customer by their number."""
    return f"cus_{number:020}"


def simulate_purchases(rng: np.random.Generator, customers: int) -> list[Bought]:
    """Each customer buys each product at a rate of their own, until they leave after one of their purchases."""
    bought = []
    for customer in range(customers):
        rates = rng.gamma(2.0, 0.5, len(SKUS)) / _MEAN_GAP_DAYS
        day = rng.uniform(0, DAYS / 2)
        while day < DAYS:
            bought.append(Bought(customer, int(rng.choice(len(SKUS), p=rates / rates.sum())), day))
            if rng.random() < _LEAVES:
                break
            day += rng.exponential(1 / rates.sum())
    return bought


def put_shoppers(conn: WriteConnection, *, customers: int, seed: int = 7) -> list[str]:
    """Their accounts, orders and events; the customers' ids."""
    rng = np.random.default_rng(seed)
    ids = [customer_of(number) for number in range(customers)]
    bought = simulate_purchases(rng, customers)
    _copy(
        conn,
        "customer (customer_id, name, locale, time_zone, created_at)",
        [(c, "Kim", "en", "UTC", BEGIN) for c in ids],
    )
    _put_logins(conn, ids)
    _put_orders(conn, ids, bought, rng)
    _put_looks(conn, bought, customers, rng)
    return ids


def _put_logins(conn: WriteConnection, ids: Sequence[str]) -> None:
    conn.execute(
        "insert into identifier (namespace, key, seen_at) select 'external', 'key-' || c, %s from unnest(%s::text[]) c",
        [BEGIN, list(ids)],
    )
    conn.execute(
        "insert into customer_identifier (identifier_id, customer_id, valid_from, counts_from, because, evidence)"
        " select i.identifier_id, substr(i.key, 5), %s, '-infinity', 'registered', '{}' from identifier i"
        " where i.key like 'key-cus_%%'",
        [BEGIN],
    )


def _put_orders(conn: WriteConnection, ids: Sequence[str], bought: Sequence[Bought], rng: np.random.Generator) -> None:
    prices = rng.gamma(6.0, 500.0, len(bought)).astype(int) + 1
    orders = [
        (f"ord_{n:07}", ids[b.customer], "app", int(price), "EUR", _at(b.day), _at(b.day))
        for n, (b, price) in enumerate(zip(bought, prices, strict=True))
    ]
    columns = "order_id, customer_id, channel, amount_minor, currency, placed_at, created_at"
    _copy(conn, f"customer_order ({columns})", orders)
    lines = [
        (f"ord_{n:07}", 1, SKUS[b.product], 1, int(price))
        for n, (b, price) in enumerate(zip(bought, prices, strict=True))
    ]
    _copy(conn, "order_line (order_id, line, sku, quantity, unit_price_minor)", lines)


def _put_looks(conn: WriteConnection, bought: Sequence[Bought], customers: int, rng: np.random.Generator) -> None:
    """Who buys has mostly looked in the ten days before; and everybody looks at something now and then."""
    before = [Bought(b.customer, b.product, b.day - rng.uniform(0, 10)) for b in bought if rng.random() < _LOOKS_FIRST]
    idle = zip(rng.integers(0, customers, 3 * customers), rng.integers(0, len(SKUS), 3 * customers), strict=True)
    looks = before + [Bought(int(c), int(p), float(rng.uniform(0, DAYS))) for c, p in idle]
    keys: dict[str, int] = dict(
        conn.execute("select key, identifier_id from identifier where key like 'key-cus_%'").fetchall()
    )
    rows = [
        (
            1,
            f"look-{n}",
            "track",
            "Product Viewed",
            _at(look.day),
            _at(look.day),
            keys["key-" + customer_of(look.customer)],
            SKUS[look.product],
            json.dumps({}),
            json.dumps({}),
        )
        for n, look in enumerate(looks)
    ]
    columns = "source_id, message_id, call, name, happened_at, received_at, subject_id, sku, properties, context"
    _copy(conn, f"event ({columns})", rows)


def _at(day: float) -> datetime:
    return BEGIN + timedelta(days=day)


def _copy(conn: WriteConnection, target: str, rows: Sequence[tuple[object, ...]]) -> None:
    with conn.cursor() as cursor, cursor.copy(f"copy {target} from stdin".encode()) as copy:
        for row in rows:
            copy.write_row(row)
