"""Who is credited for a customer, as people are told; and the scan that begins it."""

from datetime import datetime

from api.edge import Edge
from api.models import Out
from attribution.binding_nouns import Binding, ScanOutcome
from attribution.bindings import bind_customer
from attribution.people import select_staff_member, select_store
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.ids import CustomerId


class CreditOut(Out):
    """The staff member and the shop that are credited."""

    staff_id: str
    name: str
    store_id: str
    store_name: str


class BindingOut(Out):
    """Who is credited for a customer, from when until when (half-open; null is for good)."""

    binding_id: str
    customer_id: str
    staff_id: str
    credit: CreditOut | None = None
    bound_from: datetime
    bound_until: datetime | None
    source: str


class ScanOut(BindingOut):
    """The binding now in force; `already_bound` when it was there before the scan."""

    outcome: ScanOutcome


def find_credit(conn: ReadConnection, staff_id: str | None) -> CreditOut | None:
    """The person's name and shop; None for nobody."""
    staff = select_staff_member(conn, staff_id) if staff_id else None
    store = select_store(conn, staff.store_id) if staff else None
    if staff is None or store is None:
        return None
    return CreditOut(staff_id=staff.staff_id, name=staff.name, store_id=store.store_id, store_name=store.name)


def show_binding(conn: ReadConnection, binding: Binding) -> BindingOut:
    """The binding with the person's name and shop."""
    credit = find_credit(conn, binding.staff_id)
    return BindingOut.model_validate(binding).model_copy(update={"credit": credit})


def scan_code(
    conn: WriteConnection, edge: Edge, customer_id: CustomerId, token: str, at: datetime
) -> tuple[int, ScanOut]:
    """Bind the customer who scanned: 201 and the new binding, or 200 and the one that was in force."""
    scan = bind_customer(conn, token=token, customer_id=customer_id, keys=edge.staff_keys, at=at)
    shown = ScanOut(**dict(show_binding(conn, scan.binding)), outcome=scan.outcome)
    return (201 if scan.outcome is ScanOutcome.BOUND else 200), shown
