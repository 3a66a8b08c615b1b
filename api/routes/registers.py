"""What an operator keeps: customers, stores and staff."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.auth import Role, require_role
from api.edge import At, CallerDep, Reads, WriteDep, answer_once
from api.models import Body, Currency, Out, Text
from api.paging import Cursor, Limit, Page, cut_page, decode_cursor, encode_cursor
from attribution.people import end_employment, register_staff, register_store, select_staff, select_stores, void_badge
from customers.accounts import register_customer, select_customer, select_customers
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput
from millpond.kernel.ids import StaffId, StoreId

router = APIRouter(prefix="/v1", tags=["registers"])

_Shown = TypeVar("_Shown", bound=Out)


class NewCustomer(Body):
    """A customer; `external_key` is what the brand's own systems call them, and works wherever an id is asked for."""

    name: Text
    external_key: Text | None = None
    locale: Text = "en"
    time_zone: Text = "UTC"


class CustomerOut(Out):
    """A customer's account."""

    customer_id: str
    external_key: str | None
    name: str
    locale: str
    time_zone: str
    created_at: datetime


class NewStore(Body):
    """A shop; it sells in one currency, and its months begin at its own midnight."""

    name: Text
    currency: Currency
    time_zone: Text = "UTC"


class StoreOut(Out):
    """A shop."""

    store_id: str
    name: str
    currency: str
    time_zone: str


class NewStaff(Body):
    """A person who sells; `customer_id` is their own customer account, so that they cannot credit themselves."""

    store_id: Text
    name: Text
    customer_id: Text | None = None


class StaffOut(Out):
    """A person who sells."""

    staff_id: str
    store_id: str
    name: str
    customer_id: str | None
    badge_version: int
    employed_from: datetime
    left_at: datetime | None


@router.post("/customers", status_code=201, response_model=CustomerOut)
def post_customer(body: NewCustomer, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Register a customer."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 201, CustomerOut.model_validate(register_customer(conn, at=at, **body.model_dump()))

    return answer_once(write, act)


@router.get("/customers", response_model=Page[CustomerOut])
def get_customers(reads: Reads, caller: CallerDep, limit: Limit = 50, cursor: Cursor = None) -> Page[CustomerOut]:
    """All customers, by id."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        rows = select_customers(conn, after=_after(cursor), limit=limit + 1)
    return _show_page(rows, limit, CustomerOut, "customer_id")


@router.post("/stores", status_code=201, response_model=StoreOut)
def post_store(body: NewStore, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Open a store."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 201, StoreOut.model_validate(register_store(conn, at=at, **body.model_dump()))

    return answer_once(write, act)


@router.get("/stores", response_model=Page[StoreOut])
def get_stores(reads: Reads, caller: CallerDep, limit: Limit = 50, cursor: Cursor = None) -> Page[StoreOut]:
    """All stores, by id."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        rows = select_stores(conn, after=_after(cursor), limit=limit + 1)
    return _show_page(rows, limit, StoreOut, "store_id")


@router.post("/staff", status_code=201, response_model=StaffOut)
def post_staff(body: NewStaff, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Employ a staff member."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        own = select_customer(conn, body.customer_id) if body.customer_id else None
        if body.customer_id and own is None:
            raise InvalidInput(f"customer_id: customer {body.customer_id} is not known")
        staff = register_staff(
            conn, store_id=StoreId(body.store_id), name=body.name, customer_id=own.customer_id if own else None, at=at
        )
        return 201, StaffOut.model_validate(staff)

    return answer_once(write, act)


@router.get("/staff", response_model=Page[StaffOut])
def get_staff(reads: Reads, caller: CallerDep, limit: Limit = 50, cursor: Cursor = None) -> Page[StaffOut]:
    """All staff members, those who left too, by id."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        rows = select_staff(conn, after=_after(cursor), limit=limit + 1)
    return _show_page(rows, limit, StaffOut, "staff_id")


@router.post("/staff/{staff_id}/departure", response_model=StaffOut)
def post_departure(staff_id: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """The person leaves now: their codes bind nobody any more; customers stay credited until they are handed over."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 200, StaffOut.model_validate(end_employment(conn, StaffId(staff_id), at=at))

    return answer_once(write, act)


@router.post("/staff/{staff_id}/badges", status_code=201, response_model=StaffOut)
def post_badge(staff_id: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """The printed badge was lost: void it and issue the next, which `GET /v1/staff/{id}/qr` shows."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 201, StaffOut.model_validate(void_badge(conn, StaffId(staff_id)))

    return answer_once(write, act)


def _show_page(rows: Sequence[object], limit: int, shown: type[_Shown], key: str) -> Page[_Shown]:
    """A page of rows that are ordered by the id called `key`, of which one more than `limit` was asked for."""
    page, following = cut_page(rows, limit, lambda row: encode_cursor(getattr(row, key)))
    return Page(items=[shown.model_validate(row) for row in page], next_cursor=following)


def _after(cursor: str | None) -> str:
    return decode_cursor(cursor, str)[0] if cursor else ""
