"""Who is credited for a customer: scanning a code, looking it up, handing over."""

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.auth import Caller, Role, require_role
from api.credit import show_binding
from api.edge import At, CallerDep, Edge, EdgeDep, Reads, WriteDep, answer_once
from api.models import BindingOut, Body, LongText, Out, Text
from attribution.bindings import bind_customer, binding_at, refuse_transfer, select_binding, transfer_binding
from attribution.nouns import Binding, ScanOutcome
from customers.accounts import select_customer
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.errors import NotFound
from millpond.kernel.ids import CustomerId, StaffId

router = APIRouter(prefix="/v1", tags=["bindings"])


class ScannedCode(Body):
    """The token in a staff member's code."""

    token: LongText


class HandOver(Body):
    """Who takes the customer over, and why."""

    to_staff_id: Text
    reason: Text | None = None


class ScanOut(BindingOut):
    """The binding now in force; `already_bound` when it was there before the scan."""

    outcome: ScanOutcome


@router.post("/bindings", status_code=201, response_model=ScanOut, responses={200: {"model": ScanOut}})
def post_binding(body: ScannedCode, edge: EdgeDep, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Scan: binds the calling customer to the staff member, or answers 200 with the binding already in force."""
    require_role(caller, Role.CUSTOMER)
    return answer_once(write, lambda conn: scan_code(conn, edge, caller, body.token, at))


def scan_code(conn: WriteConnection, edge: Edge, caller: Caller, token: str, at: datetime) -> tuple[int, Out]:
    """Bind the calling customer: 201 and the new binding, or 200 and the one that was in force."""
    scan = bind_customer(conn, token=token, customer_id=CustomerId(caller.subject), keys=edge.staff_keys, at=at)
    shown = ScanOut(**dict(show_binding(conn, scan.binding)), outcome=scan.outcome)
    return (201 if scan.outcome is ScanOutcome.BOUND else 200), shown


@router.get("/customers/{customer_id}/binding", response_model=BindingOut)
def get_binding(customer_id: str, reads: Reads, caller: CallerDep, at: At) -> BindingOut:
    """Who is credited for the customer now; 404 when nobody is."""
    with reads.connection() as conn:
        customer = select_customer(conn, customer_id)
        if customer is None or (
            caller.role is not Role.OPERATOR and caller != Caller(Role.CUSTOMER, customer.customer_id)
        ):
            raise NotFound(f"there is no customer {customer_id[:80]} that you may see")
        binding = binding_at(conn, customer.customer_id, at)
        if binding is None:
            raise NotFound(f"nobody is credited for customer {customer_id} yet")
        return show_binding(conn, binding)


@router.post("/bindings/{binding_id}/transfers", status_code=201, response_model=BindingOut)
def post_transfer(binding_id: str, body: HandOver, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Start a hand-over under the policy: answers with the binding to come."""

    def act(conn: WriteConnection) -> tuple[int, Out]:
        binding = find_visible_binding(conn, caller, binding_id)
        coming = transfer_binding(
            conn, binding.binding_id, to_staff_id=StaffId(body.to_staff_id), at=at, reason=body.reason
        )
        return 201, show_binding(conn, coming)

    return answer_once(write, act)


@router.post("/bindings/{binding_id}/refusal", response_model=BindingOut)
def post_refusal(binding_id: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """The customer refuses a hand-over that has not begun: answers with the binding that stays."""
    require_role(caller, Role.CUSTOMER)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        binding = find_visible_binding(conn, caller, binding_id)
        staying = refuse_transfer(conn, binding.binding_id, customer_id=CustomerId(caller.subject), at=at)
        return 200, show_binding(conn, staying)

    return answer_once(write, act)


def find_visible_binding(conn: ReadConnection, caller: Caller, binding_id: str) -> Binding:
    """The binding, for its customer and for operators; NotFound in every other case."""
    require_role(caller, Role.CUSTOMER, Role.OPERATOR)
    binding = select_binding(conn, binding_id)
    if binding is None or (caller.role is Role.CUSTOMER and binding.customer_id != caller.subject):
        raise NotFound(f"there is no binding {binding_id[:80]} that you may see")
    return binding
