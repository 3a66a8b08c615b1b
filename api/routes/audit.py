"""`/v1/audit`: who saw or changed what of a person."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.auth import Role
from api.edge import CallerDep, Reads
from api.paging import Cursor, Limit, Page, cut_page, decode_cursor, encode_cursor
from api.told.audit import AuditEntryOut, show_entry
from api.visible.roles import require_role
from customers.audit.entries import select_entries

router = APIRouter(prefix="/v1/audit", tags=["people"])


@router.get("", response_model=Page[AuditEntryOut])
def get_audit(
    reads: Reads,
    caller: CallerDep,
    customer_id: Annotated[str | None, Query(max_length=200, description="Only about this customer.")] = None,
    actor: Annotated[str | None, Query(max_length=220, description="Only by this one, like `operator:kim`.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[AuditEntryOut]:
    """Looks at people and changes to them, newest first."""
    require_role(caller, Role.OPERATOR)
    before = decode_cursor(cursor, int)[0] if cursor else None
    about = None if customer_id is None else [customer_id]
    with reads.connection() as conn:
        rows = select_entries(conn, before=before, customer_ids=about, actor=actor, limit=limit + 1)
    shown, following = cut_page(rows, limit, lambda row: encode_cursor(row.number))
    return Page(items=[show_entry(row) for row in shown], next_cursor=following)
