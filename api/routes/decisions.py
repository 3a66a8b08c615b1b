"""Why there is an offer, or why none."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter

from api.auth import Caller, Role, require_role
from api.edge import At, CallerDep, Reads
from api.models import Out
from api.paging import Cursor, Limit, Page, cut_page, decode_time_cursor, encode_cursor
from api.routes.offers import find_visible_customer
from customers.accounts import select_customer
from millpond.kernel.db import ReadConnection
from millpond.kernel.errors import NotFound
from offers.explain import explain_decision
from offers.nouns import Decision, Outcome, Trigger
from offers.store import select_decision, select_decisions

router = APIRouter(prefix="/v1", tags=["offers"])


class GateOut(Out):
    """One rule: whether it let the offer pass, and why."""

    gate: str
    passed: bool
    why: str


class DecisionOut(Out):
    """A verdict in plain words; `candidates` and `gates` are for operators, and null for the customer."""

    decision_id: str
    customer_id: str | None
    trigger: Trigger
    sku: str
    decided_at: datetime
    outcome: Outcome
    offer_id: str | None
    words: str = ""
    failed_gate: str | None = None
    candidates: list[dict[str, Any]] | None = None
    gates: list[GateOut] | None = None


@router.get("/decisions/{decision_id}", response_model=DecisionOut)
def get_decision(decision_id: str, reads: Reads, caller: CallerDep) -> DecisionOut:
    """Why this offer, or why none: every rule for an operator, plain words for the customer."""
    with reads.connection() as conn:
        decision = _find_visible_decision(conn, caller, decision_id)
        customer = select_customer(conn, decision.customer_id) if decision.customer_id else None
    return _show(decision, caller, customer.locale if customer else "en")


@router.get("/customers/{customer_id}/decisions", response_model=Page[DecisionOut])
def get_decisions(
    customer_id: str, reads: Reads, caller: CallerDep, at: At, limit: Limit = 50, cursor: Cursor = None
) -> Page[DecisionOut]:
    """Why a customer was offered what, and why not, newest first: in plain words for the customer."""
    require_role(caller, Role.OPERATOR, Role.CUSTOMER)
    before = decode_time_cursor(cursor, str)
    with reads.connection() as conn:
        customer = find_visible_customer(conn, caller, customer_id, at)
        rows = select_decisions(conn, customer_id=customer.customer_id, before=before, limit=limit + 1)
    shown, following = cut_page(rows, limit, lambda row: encode_cursor(row.decided_at.isoformat(), row.decision_id))
    return Page(items=[_show(row, caller, customer.locale) for row in shown], next_cursor=following)


def _show(decision: Decision, caller: Caller, locale: str) -> DecisionOut:
    words = explain_decision(decision, locale=locale)
    shown = DecisionOut.model_validate(decision).model_copy(update={"words": words})
    return shown if caller.role is Role.OPERATOR else shown.model_copy(update=_HIDDEN)


_HIDDEN = {"failed_gate": None, "candidates": None, "gates": None}


def _find_visible_decision(conn: ReadConnection, caller: Caller, decision_id: str) -> Decision:
    require_role(caller, Role.OPERATOR, Role.CUSTOMER)
    decision = select_decision(conn, decision_id)
    if decision is None or (caller.role is Role.CUSTOMER and decision.customer_id != caller.subject):
        raise NotFound(f"there is no decision {decision_id[:80]} that you may see")
    return decision
