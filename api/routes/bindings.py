"""`/v1/bindings`: scanning a code, and handing a customer over."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.auth import Role
from api.edge import At, CallerDep, EdgeDep, WriteDep, answer_write
from api.models import Body, LongText, Out, Text
from api.told.bindings import BindingOut, ScanOut, scan_code, show_binding
from api.visible.bindings import visible_binding
from api.visible.customers import own_customer_id
from api.visible.looks import record_change
from api.visible.roles import require_role
from attribution.bindings import refuse_transfer, transfer_binding
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import StaffId

router = APIRouter(prefix="/v1/bindings", tags=["bindings"])


class ScannedCode(Body):
    """The token in a staff member's code."""

    token: LongText


class HandOver(Body):
    """Who takes the customer over, and why."""

    to_staff_id: Text
    reason: Text | None = None


@router.post("", status_code=201, response_model=ScanOut, responses={200: {"model": ScanOut}})
def post_binding(body: ScannedCode, edge: EdgeDep, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Scan: binds the calling customer to the staff member, or answers 200 with the binding already in force."""
    customer_id = own_customer_id(caller)
    return answer_write(write, lambda conn: scan_code(conn, edge, customer_id, body.token, at))


@router.post("/{binding_id}/transfers", status_code=201, response_model=BindingOut)
def post_transfer(binding_id: str, body: HandOver, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Start a hand-over under the policy: answers with the binding to come."""

    def act(conn: WriteConnection) -> tuple[int, Out]:
        binding = visible_binding(conn, caller, binding_id)
        coming = transfer_binding(
            conn, binding.binding_id, to_staff_id=StaffId(body.to_staff_id), at=at, reason=body.reason
        )
        shown = show_binding(conn, coming)
        whose, coming_id = coming.customer_id, coming.binding_id
        record_change(conn, caller, whose, action="binding_transferred", at=at, binding=coming_id)
        return 201, shown

    return answer_write(write, act)


@router.post("/{binding_id}/refusal", response_model=BindingOut)
def post_refusal(binding_id: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """The customer refuses a hand-over that has not begun: answers with the binding that stays."""
    require_role(caller, Role.CUSTOMER)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        binding = visible_binding(conn, caller, binding_id)
        staying = refuse_transfer(conn, binding.binding_id, customer_id=own_customer_id(caller), at=at)
        return 200, show_binding(conn, staying)

    return answer_write(write, act)
