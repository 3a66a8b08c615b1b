"""`/scan`: where a staff member's code leads: who it is, and a yes from the customer."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api.auth import Caller, Role
from api.edge import At, EdgeDep, Reads
from api.told.bindings import BindingOut, find_credit, scan_code
from api.visible.customers import find_own_account, own_customer_id
from api.web.session import FormKey, SameOrigin, make_page_write, require_caller
from api.web.view import View, make_view, sign_in_address
from attribution.bindings import find_scanned_staff
from attribution.tokens import decode_staff_token
from millpond.kernel.db import ReadConnection
from millpond.kernel.errors import InvalidInput

router = APIRouter(prefix="/scan", include_in_schema=False)


@router.get("")
def get_scan(request: Request, edge: EdgeDep, reads: Reads, at: At, token: str = "") -> Response:
    """Who would look after the customer, and the question."""
    caller = make_view(request).caller
    with reads.connection() as conn:
        view = _make_customer_view(request, conn, caller)
        try:
            code = decode_staff_token(edge.staff_keys, token, at=at)
            who = find_credit(conn, find_scanned_staff(conn, code, at).staff_id)
        except InvalidInput as error:
            return view.render("scan.html", 422, step="wrong", sentence=str(error), who=None)
    return view.render("scan.html", step=_step_for(caller), who=who, token=token, sign_in=sign_in_address(request))


@router.post("", dependencies=[SameOrigin])
def post_scan(
    request: Request, edge: EdgeDep, reads: Reads, token: Annotated[str, Form(max_length=4000)], key: FormKey = None
) -> Response:
    """The yes: binds, or says which binding already holds."""
    caller = require_caller(request, Role.CUSTOMER)
    write = make_page_write(request, caller, key)
    customer_id = own_customer_id(caller)
    answer = write.run(lambda conn: scan_code(conn, edge, customer_id, token, write.at))
    with reads.connection() as conn:
        view = _make_customer_view(request, conn, caller)
    who = BindingOut.model_validate(answer.body).credit
    return view.render("scan.html", step="done" if answer.status == 201 else "already", who=who)


def _make_customer_view(request: Request, conn: ReadConnection, caller: Caller | None) -> View:
    customer = find_own_account(conn, caller)
    return make_view(request, customer.locale, customer.time_zone) if customer else make_view(request)


def _step_for(caller: Caller | None) -> str:
    if caller is None:
        return "sign_in"
    return "ask" if caller.role is Role.CUSTOMER else "customers_only"
