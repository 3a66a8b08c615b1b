"""`/v1/stores`: the shops."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.auth import Role
from api.edge import At, CallerDep, Reads, WriteDep, answer_write
from api.models import Body, Currency, Out, Text
from api.paging import Cursor, Limit, Page, after_id, page_by_id
from api.told.stores import StoreOut
from api.visible.roles import require_role
from attribution.people import register_store, select_stores
from millpond.kernel.db import WriteConnection

router = APIRouter(prefix="/v1/stores", tags=["registers"])


class NewStore(Body):
    """A shop; it sells in one currency, and its months begin at its own midnight."""

    name: Text
    currency: Currency
    time_zone: Text = "UTC"


@router.post("", status_code=201, response_model=StoreOut)
def post_store(body: NewStore, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Open a store."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 201, StoreOut.model_validate(register_store(conn, at=at, **body.model_dump()))

    return answer_write(write, act)


@router.get("", response_model=Page[StoreOut])
def get_stores(reads: Reads, caller: CallerDep, limit: Limit = 50, cursor: Cursor = None) -> Page[StoreOut]:
    """All stores, by id."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        rows = select_stores(conn, after=after_id(cursor), limit=limit + 1)
    return page_by_id(rows, limit, StoreOut, "store_id")
