"""Who may see a person who sells, and at which till one sells."""

from datetime import datetime

from api.auth import Caller, Role
from api.visible.roles import refuse
from attribution.nouns import Staff
from attribution.people import select_staff_member
from millpond.kernel.db import ReadConnection
from millpond.kernel.errors import NotFound
from millpond.kernel.ids import StaffId


def visible_staff(conn: ReadConnection, caller: Caller, staff_id: str) -> Staff:
    """The person who sells: for themselves, also after they left, and for operators."""
    staff = select_staff_member(conn, staff_id)
    if staff is None or (caller.role is not Role.OPERATOR and caller != Caller(Role.STAFF, staff_id)):
        refuse("staff member", staff_id)
    return staff


def own_staff(conn: ReadConnection, caller: Caller) -> Staff:
    """The calling staff member, also after they left."""
    return visible_staff(conn, caller, caller.subject)


def employed_staff(conn: ReadConnection, caller: Caller, staff_id: str, at: datetime) -> Staff:
    """The same person as long as their codes bind; NotFound for one who has left too."""
    staff = visible_staff(conn, caller, staff_id)
    if not staff.employed_at(at):
        raise NotFound("this person has left: there is no code of theirs any more")
    return staff


def own_till(conn: ReadConnection, caller: Caller, store_id: str | None, at: datetime) -> Staff:
    """The calling staff member, who works at `at`, at the till of their own store (`None`: whichever that is)."""
    staff = employed_self(conn, caller, at)
    if store_id not in (None, staff.store_id):
        refuse("store", str(store_id), "at whose till you sell")
    return staff


def employed_self(conn: ReadConnection, caller: Caller, at: datetime) -> Staff:
    """The calling staff member; NotFound when they do not work here at `at`."""
    staff = select_staff_member(conn, StaffId(caller.subject))
    if staff is None or not staff.employed_at(at):
        raise NotFound("you are not one of our staff")
    return staff
