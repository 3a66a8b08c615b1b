"""`/ops/audit`: who saw or changed what of a person, newest first."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.auth import Role
from api.edge import Reads
from api.paging import Cursor, cut_page, decode_cursor, encode_cursor
from api.told.audit import show_entry
from api.web.session import require_caller
from api.web.view import make_english_view
from customers.audit.chain import select_noted
from customers.audit.entries import select_entries

router = APIRouter(prefix="/ops/audit", include_in_schema=False)

_A_PAGE = 50


@router.get("")
def get_audit(request: Request, reads: Reads, customer_id: str = "", cursor: Cursor = None) -> Response:
    """The log, of one customer or all, and its head to be noted."""
    require_caller(request, Role.OPERATOR)
    before = decode_cursor(cursor, int)[0] if cursor else None
    with reads.connection() as conn:
        about = [customer_id] if customer_id else None
        rows = select_entries(conn, before=before, customer_ids=about, limit=_A_PAGE + 1)
        head = str(select_noted(conn))
    shown, following = cut_page(rows, _A_PAGE, lambda row: encode_cursor(row.number))
    entries = [show_entry(row) for row in shown]
    view = make_english_view(request)
    return view.render("ops_audit.html", entries=entries, following=following, head=head, customer_id=customer_id)
