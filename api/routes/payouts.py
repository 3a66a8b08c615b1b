"""Paying staff the commission that is available to them."""

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.auth import Role, require_role
from api.credit import find_visible_staff
from api.edge import At, CallerDep, WriteDep, answer_once
from api.models import MoneyOut, Out
from attribution.release import pay_out
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import Conflict

router = APIRouter(prefix="/v1/staff", tags=["staff"])


class PayoutOut(Out):
    """One payment in one currency; `entry_id` is the ledger's."""

    entry_id: str
    staff_id: str
    amount: MoneyOut
    paid_at: datetime


class PayoutsOut(Out):
    """What was paid just now, one payment per currency."""

    items: list[PayoutOut]


@router.post("/{staff_id}/payouts", status_code=201, response_model=PayoutsOut)
def post_payout(staff_id: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Pay all that is available to a person, for operators; 409 when that is nothing."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        staff = find_visible_staff(conn, caller, staff_id)
        payouts = pay_out(conn, staff.staff_id, at=at)
        if not payouts:
            raise Conflict(f"nothing is available to pay out to {staff.name}")
        return 201, PayoutsOut(items=[PayoutOut.model_validate(payout) for payout in payouts])

    return answer_once(write, act)
