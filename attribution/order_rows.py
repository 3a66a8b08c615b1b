"""Reading orders and refunds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attribution.nouns import Channel, Order, OrderLine, Refund
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.ids import CustomerId, OrderId, StaffId, StoreId
from millpond.kernel.money import Money

_Q = load_queries("attribution")


def select_order(conn: ReadConnection, order_id: str) -> Order | None:
    """The order with this id, with its lines."""
    row = conn.execute(_Q["select_order"], {"order_id": order_id}).fetchone()
    return _with_lines(conn, [row])[0] if row else None


def lock_order(conn: WriteConnection, order_id: str) -> Order | None:
    """The order with this id; until the transaction ends nobody else refunds or releases it."""
    row = conn.execute(_Q["lock_order"], {"order_id": order_id}).fetchone()
    return _with_lines(conn, [row])[0] if row else None


def select_orders(
    conn: ReadConnection,
    *,
    customer_id: CustomerId | None = None,
    credited_to: StaffId | None = None,
    store_id: StoreId | None = None,
    before: tuple[datetime, OrderId] | None = None,
    limit: int = 50,
) -> list[Order]:
    """Up to `limit` orders, newest first, that come after `before` (placed_at, order_id) in that order."""
    before_at, before_id = before or (None, None)
    values = {
        "customer_id": customer_id,
        "credited_to": credited_to,
        "store_id": store_id,
        "before_at": before_at,
        "before_id": before_id,
        "limit": limit,
    }
    return _with_lines(conn, conn.execute(_Q["select_orders"], values).fetchall())


def select_refunds(conn: ReadConnection, order_id: OrderId) -> list[Refund]:
    """The refunds of an order, oldest first."""
    rows = conn.execute(_Q["select_refunds"], {"order_id": order_id}).fetchall()
    return [Refund(row[0], row[1], Money(row[2], row[3]), Money(row[6], row[3]), row[4], row[5]) for row in rows]


def _with_lines(conn: ReadConnection, rows: Sequence[tuple[Any, ...]]) -> list[Order]:
    lines: dict[str, list[OrderLine]] = {}
    for order_id, sku, quantity, unit_price_minor, currency in conn.execute(
        _Q["select_order_lines"], {"order_ids": [row[0] for row in rows]}
    ):
        lines.setdefault(order_id, []).append(OrderLine(sku, quantity, Money(unit_price_minor, currency)))
    return [_order(row, tuple(lines[row[0]])) for row in rows]


def _order(row: tuple[Any, ...], lines: tuple[OrderLine, ...]) -> Order:
    currency = row[10]
    return Order(
        order_id=row[0],
        customer_id=row[1],
        channel=Channel(row[2]),
        store_id=row[3],
        sold_by=row[4],
        offer_id=row[5],
        binding_id=row[6],
        credited_to=row[7],
        amount=Money(row[8], currency),
        refunded=Money(row[9], currency),
        placed_at=row[11],
        lines=lines,
    )
