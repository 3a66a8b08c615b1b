"""`/v1/customers/{id}/export` and `/erasure`: all that is known of a person, given to them and taken away."""

from collections.abc import Iterator
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import JSONResponse, StreamingResponse

from api.edge import At, CallerDep, Edge, EdgeDep, WriteDep, answer_write
from api.models import Out
from api.told.customers import ErasureOut, ExportOut
from api.visible.customers import erasable_customer, visible_account
from api.visible.looks import record_by_anybody
from customers.erased import request_erasure
from dam.erasure import erase_person
from dam.export import write_export
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import CustomerId

router = APIRouter(prefix="/v1/customers", tags=["people"])


@router.get("/{customer_id}/export", response_model=ExportOut)
def get_export(customer_id: str, edge: EdgeDep, caller: CallerDep, at: At) -> StreamingResponse:
    """All that is known of a person, as one JSON object: `parts` has a list for each kind of thing, in a fixed order.

    It is streamed as it is read. Readings of their devices are there by the day; the calls of a device give each one.
    """
    with edge.writes.connection() as conn, conn.transaction():
        customer = visible_account(conn, caller, customer_id)
        record_by_anybody(conn, caller, customer.customer_id, action="exported", at=at)
    headers = {"Content-Disposition": f'attachment; filename="{customer.customer_id}.json"'}
    body = _stream(edge, customer.customer_id, at)
    return StreamingResponse(body, media_type="application/json", headers=headers)


def _stream(edge: Edge, customer_id: CustomerId, at: datetime) -> Iterator[bytes]:
    with edge.reads.connection() as conn:
        yield from write_export(conn, customer_id, at=at)


@router.post("/{customer_id}/erasure", response_model=ErasureOut)
def post_erasure(customer_id: str, edge: EdgeDep, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Erase a person under all their ids, for good, and answer what was removed where; asked again, the same answer.

    Orders and the ledger keep their money under an id that names nobody. Devices are released. What comes late is
    dropped.
    """
    with edge.writes.connection() as conn:
        found = erasable_customer(conn, caller, customer_id)
        erasure = request_erasure(conn, found, actor=caller.actor, at=at)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 200, ErasureOut.model_validate(erase_person(conn, erasure, actor=caller.actor, at=at))

    answer = answer_write(write, act)
    edge.known_tokens.forget()
    return answer
