"""Who is credited, by name and shop, as people are told."""

from datetime import datetime

from api.auth import Caller, Role
from api.models import BindingOut, CreditOut
from attribution.nouns import Binding, Staff
from attribution.people import select_staff_member, select_store
from millpond.kernel.db import ReadConnection
from millpond.kernel.errors import NotFound


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


def find_visible_staff(conn: ReadConnection, caller: Caller, staff_id: str) -> Staff:
    """The person, if it exists and is the caller or the caller an operator; NotFound in every other case."""
    staff = select_staff_member(conn, staff_id)
    if staff is None or (caller.role is not Role.OPERATOR and caller != Caller(Role.STAFF, staff_id)):
        raise NotFound(f"there is no staff member {staff_id[:80]} that you may see")
    return staff


def find_employed_staff(conn: ReadConnection, caller: Caller, staff_id: str, at: datetime) -> Staff:
    """The person, visible to the caller, whose codes bind; NotFound for one who has left too."""
    staff = find_visible_staff(conn, caller, staff_id)
    if not staff.employed_at(at):
        raise NotFound("this person has left: there is no code of theirs any more")
    return staff
