"""`/ops/holds`: commission that waits for an operator's look."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import Role
from api.edge import Reads
from api.paging import Cursor, cut_page, decode_time_cursor, encode_cursor
from api.told.holds import HoldOut
from api.web.session import FormKey, SameOrigin, make_page_write, require_caller
from api.web.view import make_english_view
from attribution.hold_nouns import HoldDecision
from attribution.holds import approve_hold, reject_hold, select_holds
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import NotFound

router = APIRouter(prefix="/ops/holds", include_in_schema=False)

_A_PAGE = 25
_DECIDE = {HoldDecision.APPROVED.value: approve_hold, HoldDecision.REJECTED.value: reject_hold}


@router.get("")
def get_holds(request: Request, reads: Reads, cursor: Cursor = None) -> Response:
    """What waits, the longest first, each with a yes and a no."""
    require_caller(request, Role.OPERATOR)
    with reads.connection() as conn:
        rows = select_holds(conn, after=decode_time_cursor(cursor, str), limit=_A_PAGE + 1)
    shown, following = cut_page(rows, _A_PAGE, lambda row: encode_cursor(row.held_at.isoformat(), row.order_id))
    return make_english_view(request).render("ops_holds.html", holds=shown, following=following)


@router.post("/{order_id}/{decision}", dependencies=[SameOrigin])
def post_decision(request: Request, order_id: str, decision: str, key: FormKey = None) -> Response:
    """The yes or no, and back to what still waits."""
    caller = require_caller(request, Role.OPERATOR)
    decide = _DECIDE.get(decision)
    if decide is None:
        raise NotFound("a hold is approved or rejected, nothing else")
    write = make_page_write(request, caller, key)

    def act(conn: WriteConnection) -> tuple[int, HoldOut]:
        return 200, HoldOut.model_validate(decide(conn, order_id, actor=caller.actor, at=write.at))

    write.run(act)
    return RedirectResponse("/ops/holds", 303)
