"""`/v1/customers/{customer_id}/timeline`: a person's journey across all channels, newest first."""

from datetime import datetime

from fastapi import APIRouter

from api.edge import At, CallerDep, Reads
from api.paging import Cursor, Limit, Page, cut_page, decode_time_cursor, encode_cursor
from api.told.timeline import MomentOut
from api.visible.timeline import visible_journey
from dam.person.timeline import Moment, Place, select_timeline

router = APIRouter(prefix="/v1/customers", tags=["customers"])


@router.get("/{customer_id}/timeline", response_model=Page[MomentOut])
def get_timeline(
    customer_id: str, reads: Reads, caller: CallerDep, at: At, limit: Limit = 50, cursor: Cursor = None
) -> Page[MomentOut]:
    """What a person did and what was done for them, in app, web, shop and messenger, newest first.

    The staff member who is credited for them sees orders, offers, devices and the binding, and nothing else.
    """
    with reads.connection() as conn:
        customer, kinds = visible_journey(conn, caller, customer_id, at)
        rows = select_timeline(
            conn, customer.customer_id, at=at, kinds=kinds, before=_read_place(cursor), limit=limit + 1
        )
    shown, following = cut_page(rows, limit, _cursor)
    return Page(items=[MomentOut.model_validate(row) for row in shown], next_cursor=following)


def _cursor(moment: Moment) -> str:
    return encode_cursor(moment.at.isoformat(), f"{moment.kind} {moment.ref}")


def _read_place(cursor: str | None) -> Place | None:
    found: tuple[datetime, str] | None = decode_time_cursor(cursor, str)
    if found is None:
        return None
    kind, _, ref = found[1].partition(" ")
    return found[0], kind, ref
