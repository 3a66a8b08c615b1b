"""Who looked at whom: noted by what decides that they may, and written to the audit log before the answer goes out.

`api/looks.py` opens a list for each request, and writes it. A customer who looks at what is theirs is not noted.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from api.auth import Caller, Role
from customers.audit.entries import record_audit
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import CustomerId

Looks = dict[tuple[str, str], dict[CustomerId, None]]
"""By actor and why they might: whom they saw, each once, in order."""

LOOKS: ContextVar[Looks | None] = ContextVar("looks", default=None)
_WHY = {Role.OPERATOR: "operator", Role.STAFF: "staff"}


def note_look(caller: Caller, *customer_ids: CustomerId | None, because: str | None = None) -> None:
    """The caller is shown something of these customers, `because` (a word) they are bound, sold to them, work here."""
    looks = LOOKS.get()
    if looks is None or caller.role is Role.CUSTOMER:
        return
    seen = looks.setdefault((caller.actor, because or _WHY[caller.role]), {})
    seen.update(dict.fromkeys(customer_id for customer_id in customer_ids if customer_id is not None))


def note_looks(caller: Caller, rows: Iterable[Any], because: str | None = None) -> None:
    """The same for a page of a list: whose each row is, is its `customer_id`."""
    note_look(caller, *(row.customer_id for row in rows), because=because)


def record_by_anybody(
    conn: WriteConnection, caller: Caller, customer_id: CustomerId, *, action: str, at: datetime
) -> None:
    """Say in the audit log what is recorded also when customers do it themselves: that all of theirs was given out."""
    why = "their_wish" if caller.role is Role.CUSTOMER else _WHY[caller.role]
    record_audit(conn, actor=caller.actor, action=action, customer_id=customer_id, because=why, detail={}, at=at)


def record_change(
    conn: WriteConnection,
    caller: Caller,
    customer_id: CustomerId,
    *,
    action: str,
    at: datetime,
    because: str | None = None,
    **detail: Any,
) -> None:
    """Say in the audit log, with the change itself, what an operator or staff member changed of a customer.

    What customers change of their own is not recorded. To be called last in the transaction: see `record_audit`.
    """
    if caller.role is not Role.CUSTOMER:
        why = because or _WHY[caller.role]
        record_audit(
            conn, actor=caller.actor, action=action, customer_id=customer_id, because=why, detail=detail, at=at
        )
