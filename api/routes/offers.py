"""`/v1/offers`: the customer looks at an offer, takes it, or says no."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.edge import At, CallerDep, EdgeDep, WriteDep, answer_write
from api.models import Out
from api.told.offers import AcceptedOut, OfferOut, accept, decline, show_offer
from api.visible.customers import own_customer_id
from millpond.kernel.db import WriteConnection
from offers.life import mark_seen

router = APIRouter(prefix="/v1/offers", tags=["offers"])


@router.post("/{offer_id}/seen", response_model=OfferOut)
def post_seen(offer_id: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """The customer looked at the offer."""
    customer_id = own_customer_id(caller)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 200, show_offer(conn, mark_seen(conn, offer_id, customer_id=customer_id, at=at))

    return answer_write(write, act)


@router.post("/{offer_id}/accept", status_code=201, response_model=AcceptedOut)
def post_accept(offer_id: str, edge: EdgeDep, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Order what was offered at its price, credited to the binding in force now."""
    customer_id = own_customer_id(caller)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 201, accept(conn, edge, offer_id, customer_id, at)

    return answer_write(write, act)


@router.post("/{offer_id}/decline", response_model=OfferOut)
def post_decline(offer_id: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Say no for good."""
    customer_id = own_customer_id(caller)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 200, decline(conn, offer_id, customer_id, at)

    return answer_write(write, act)
