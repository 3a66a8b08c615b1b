"""The audit log, as operators are told."""

from datetime import datetime
from typing import Any

from pydantic import Field

from api.models import Out
from customers.audit.entries import AuditEntry


class AuditEntryOut(Out):
    """`actor` did `action` to or with what is known of a customer, `because` of something."""

    number: int
    at: datetime
    actor: str = Field(description="Role and subject.")
    action: str = Field(description="`saw`, `exported`, `erased`, or what was changed.")
    customer_id: str | None
    because: str
    detail: dict[str, Any]
    digest: str = Field(description="SHA-256 over the digest before it and this entry, in hexadecimal.")


def show_entry(entry: AuditEntry) -> AuditEntryOut:
    """One line of the log."""
    return AuditEntryOut(
        number=entry.number,
        at=entry.at,
        actor=entry.actor,
        action=entry.action,
        customer_id=entry.customer_id,
        because=entry.because,
        detail=entry.detail,
        digest=entry.digest.hex(),
    )
