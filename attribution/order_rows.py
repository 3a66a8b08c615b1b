"""Reading orders and refunds."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row, kwargs_row

from attribution.nouns import Channel, Order, OrderLine, Refund
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.ids import CustomerId, OrderId, StaffId, StoreId
from millpond.kernel.money import Money

_Q = load_queries("attribution")


def select_order(conn: ReadConnection, order_id: str) -> Order | None:
    """The order with this id, with its lines."""
    return next(iter(_read_orders(conn, "select_order", {"order_id": order_id})), None)


def select_told_order(conn: ReadConnection, store_id: str | None, external_id: str) -> Order | None:
    """The order that the brand's own systems call so: in a store, or where that is None in the brand."""
    values = {"store_id": store_id, "external_id": external_id}
    return next(iter(_read_orders(conn, "select_told_order", values)), None)


def lock_order(conn: WriteConnection, order_id: str) -> Order | None:
    """The order with this id; until the transaction ends nobody else refunds or releases it."""
    conn.execute(_Q["lock_order"], {"order_id": order_id})
    return select_order(conn, order_id)


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
    return _read_orders(conn, "select_orders", values)


def select_refunds(conn: ReadConnection, order_id: OrderId) -> list[Refund]:
    """The refunds of an order, oldest first."""
    with conn.cursor(row_factory=kwargs_row(_refund)) as cursor:
        return cursor.execute(_Q["select_refunds"], {"order_id": order_id}).fetchall()


def _refund(*, amount_minor: int, clawed_back_minor: int, currency: str, **same: Any) -> Refund:
    return Refund(amount=Money(amount_minor, currency), clawed_back=Money(clawed_back_minor, currency), **same)


def _read_orders(conn: ReadConnection, query: str, values: Mapping[str, object]) -> list[Order]:
    """The orders that a query of the view `sale` finds, with the lines of all of them in one more query."""
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_Q[query], values).fetchall()
        ids = [row["order_id"] for row in rows]
        lines = cursor.execute(_Q["select_order_lines"], {"order_ids": ids}).fetchall()
    of_order: dict[str, list[OrderLine]] = {order_id: [] for order_id in ids}
    for line in lines:
        of_order[line.pop("order_id")].append(_line(**line))
    return [_order(lines=tuple(of_order[row["order_id"]]), **row) for row in rows]


def _line(*, unit_price_minor: int, currency: str, **same: Any) -> OrderLine:
    return OrderLine(unit_price=Money(unit_price_minor, currency), **same)


def _order(*, channel: str, amount_minor: int, refunded_minor: int, currency: str, **same: Any) -> Order:
    return Order(
        channel=Channel(channel), amount=Money(amount_minor, currency), refunded=Money(refunded_minor, currency), **same
    )
