"""`/v1/orders`: sales in any channel, refunds, and reading them."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import Field

from api.auth import Caller, Role
from api.edge import At, CallerDep, EdgeDep, Reads, WriteDep, answer_write
from api.models import Body, Currency, MoneyIn, Out, Text
from api.paging import Cursor, Limit, Page, cut_page, decode_time_cursor, encode_cursor
from api.told.orders import OrderDetail, OrderOut, RefundOut, show_order
from api.visible.customers import own_customer_id, visible_account
from api.visible.looks import note_looks
from api.visible.orders import order_scope, refundable_order, visible_order
from api.visible.roles import owns_nothing, require_role
from api.visible.staff import own_till
from attribution.nouns import Channel, OrderItem, Staff
from attribution.orders import refund_order, select_orders, select_refunds
from customers.identifiers import resolve_customer
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.errors import InvalidInput
from millpond.kernel.ids import CustomerId, Sku, StoreId
from offers.checkout import place_order

router = APIRouter(prefix="/v1/orders", tags=["orders"])


class NewItem(Body):
    """A product and how many of it; the price is the catalogue's."""

    sku: Text
    quantity: Annotated[int, Field(ge=1, le=1000, strict=True)] = 1


class NewOrder(Body):
    """A sale. A customer orders for themselves, staff sell at their own store's till."""

    customer_id: Text | None = Field(default=None, description="Default for a customer: themselves.")
    channel: Channel
    items: Annotated[list[NewItem], Field(min_length=1, max_length=100)]
    currency: Currency
    store_id: Text | None = Field(default=None, description="For channel `store`; default for staff: their own.")


class NewRefund(Body):
    """How much is given back, and why."""

    amount: MoneyIn
    reason: Text | None = None


@router.post("", status_code=201, response_model=OrderOut)
def post_order(body: NewOrder, edge: EdgeDep, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Place an order: it is credited to the binding in force, and withdraws the offers that it makes moot."""

    def act(conn: WriteConnection) -> tuple[int, Out]:
        seller = _require_seller(conn, caller, body, at)
        order = place_order(
            conn,
            customer_id=_find_buyer(conn, caller, body),
            channel=body.channel,
            items=[OrderItem(Sku(item.sku), item.quantity) for item in body.items],
            currency=body.currency,
            at=at,
            store_id=seller.store_id if seller else StoreId(body.store_id) if body.store_id else None,
            sold_by=seller.staff_id if seller else None,
            ceilings=edge.ceilings,
        )
        return 201, show_order(caller, order)

    return answer_write(write, act)


@router.get("", response_model=Page[OrderOut])
def get_orders(
    reads: Reads,
    caller: CallerDep,
    at: At,
    customer_id: Annotated[str | None, Query(max_length=200, description="One customer's, for operators.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[OrderOut]:
    """Orders, newest first: their own for a customer, their store's for staff, all for an operator."""
    before = decode_time_cursor(cursor, str)
    if customer_id is None and owns_nothing(caller):
        return Page(items=[], next_cursor=None)
    with reads.connection() as conn:
        scope = order_scope(conn, caller, customer_id, at)
        rows = select_orders(
            conn, customer_id=scope.customer_id, store_id=scope.store_id, before=before, limit=limit + 1
        )
    shown, following = cut_page(rows, limit, lambda row: encode_cursor(row.placed_at.isoformat(), row.order_id))
    note_looks(caller, shown)
    return Page(items=[show_order(caller, row) for row in shown], next_cursor=following)


@router.get("/{order_id}", response_model=OrderDetail)
def get_order(order_id: str, reads: Reads, caller: CallerDep, at: At) -> OrderDetail:
    """One order with its lines and what was given back on it."""
    with reads.connection() as conn:
        order = visible_order(conn, caller, order_id, at)
        refunds = select_refunds(conn, order.order_id)
    shown = show_order(caller, order).model_dump()
    return OrderDetail(**shown, refunds=[RefundOut.model_validate(refund) for refund in refunds])


@router.post("/{order_id}/refunds", status_code=201, response_model=RefundOut)
def post_refund(order_id: str, body: NewRefund, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Give money back, whole or in part: at a till of the store that sold it, or by an operator.

    Whoever bought it gains from a refund, so it is never theirs to give. The commission's share of it is clawed back.
    """
    require_role(caller, Role.STAFF, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        order = refundable_order(conn, caller, order_id, at)
        refund = refund_order(conn, order.order_id, amount=body.amount.to_money(), at=at, reason=body.reason)
        return 201, RefundOut.model_validate(refund)

    return answer_write(write, act)


def _find_buyer(conn: ReadConnection, caller: Caller, body: NewOrder) -> CustomerId:
    """Who buys. A customer nobody knows is left for `place_order` to refuse, after all else that may be wrong:
    a till learns of a customer by a real sale, and not by trying keys with a sale that cannot be.
    """
    if body.customer_id is None:
        if caller.role is Role.CUSTOMER:
            return own_customer_id(caller)
        raise InvalidInput("customer_id: say who buys")
    if caller.role is Role.CUSTOMER:
        return visible_account(conn, caller, body.customer_id).customer_id
    # What nobody is called is no customer's id either, and `place_order` will say so.
    return resolve_customer(conn, body.customer_id) or CustomerId(body.customer_id)


def _require_seller(conn: ReadConnection, caller: Caller, body: NewOrder, at: datetime) -> Staff | None:
    """The staff member at the till, None when nobody sells; raises when the caller may not sell so."""
    if caller.role is Role.CUSTOMER and body.channel is Channel.STORE:
        raise InvalidInput("channel: a customer orders in the app or on the web; a till's sale is entered by staff")
    if caller.role is not Role.STAFF:
        return None
    if body.channel is not Channel.STORE:
        raise InvalidInput("channel: staff sell at their store's till, so it is 'store'")
    return own_till(conn, caller, body.store_id, at)
