"""`/v1/customers/{id}/consents`: for what we may use what we know of a customer, and their word on it."""

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field

from api.auth import Caller
from api.edge import At, CallerDep, Reads, WriteDep, answer_write
from api.models import Body, Out, Text
from api.paging import Cursor, Limit, Page, cut_page, decode_time_cursor, encode_cursor
from api.told.consents import ConsentOut, ConsentsOut, SaidOut, show_consent, show_consents, tell_said
from api.visible.consents import find_purpose, tell_by
from api.visible.customers import visible_account
from customers.consent import select_said
from millpond.kernel.db import WriteConnection
from millpond.kernel.language import choose_language
from offers.consenting import say_consent, withdraw_all_consents

router = APIRouter(prefix="/v1/customers/{customer_id}/consents", tags=["consents"])


class Evidence(Body):
    """How an operator knows what a customer said: on the telephone, in a letter, on a form; and where to find that."""

    how: Text
    reference: Text


class NewWord(Body):
    """A yes or a no to a purpose.

    `version` is of the words that the customer was shown, by default the newest. What an operator writes down as a
    customer's yes needs `evidence`.
    """

    given: bool
    version: int | None = Field(default=None, ge=1)
    evidence: Evidence | None = None


class AllOff(Body):
    """A no to everything; where an operator writes it down, with what they know it by."""

    evidence: Evidence | None = None


@router.get("", response_model=ConsentsOut)
def get_consents(customer_id: str, reads: Reads, caller: CallerDep, at: At) -> ConsentsOut:
    """What holds, in which words, since when, and what that means; in the customer's own language."""
    with reads.connection() as conn:
        customer = visible_account(conn, caller, customer_id)
        return show_consents(conn, customer, choose_language(customer.locale), at)


@router.get("/history", response_model=Page[SaidOut])
def get_history(
    customer_id: str, reads: Reads, caller: CallerDep, limit: Limit = 50, cursor: Cursor = None
) -> Page[SaidOut]:
    """Every yes and no, newest first, with the words that each was said to."""
    before = decode_time_cursor(cursor, int)
    with reads.connection() as conn:
        customer = visible_account(conn, caller, customer_id)
        rows = select_said(conn, customer.customer_id, before=before, limit=limit + 1)
    shown, following = cut_page(rows, limit, lambda row: encode_cursor(row.at.isoformat(), row.consent_id))
    language = choose_language(customer.locale)
    return Page(items=[tell_said(row, language) for row in shown], next_cursor=following)


@router.put("/{purpose}", response_model=ConsentOut)
def put_consent(
    customer_id: str, purpose: str, body: NewWord, caller: CallerDep, write: WriteDep, at: At
) -> JSONResponse:
    """Say yes or no: it counts for the very next thing that would be done. A no takes back what waits for an answer."""

    def act(conn: WriteConnection) -> tuple[int, Out]:
        customer, of = visible_account(conn, caller, customer_id), find_purpose(purpose)
        telling = tell_by(caller, customer, "app", _evidence(body.evidence))
        since = say_consent(
            conn, customer.customer_id, of, given=body.given, version=body.version, telling=telling, at=at
        )
        return 200, show_consent(conn, customer, of, choose_language(customer.locale), since)

    return answer_write(write, act)


@router.post("/off", response_model=ConsentsOut)
def post_off(customer_id: str, caller: CallerDep, write: WriteDep, at: At, body: AllOff | None = None) -> JSONResponse:
    """Say no to everything but the account itself."""

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 200, _withdraw_all(conn, caller, customer_id, body, at)

    return answer_write(write, act)


def _withdraw_all(
    conn: WriteConnection, caller: Caller, customer_id: str, body: AllOff | None, at: datetime
) -> ConsentsOut:
    customer = visible_account(conn, caller, customer_id)
    telling = tell_by(caller, customer, "app", _evidence(body.evidence if body else None))
    since = withdraw_all_consents(conn, customer.customer_id, telling=telling, at=at)
    return show_consents(conn, customer, choose_language(customer.locale), since)


def _evidence(evidence: Evidence | None) -> dict[str, str]:
    return evidence.model_dump() if evidence else {}
