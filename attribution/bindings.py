"""Scanning a staff member's code, and handing a customer over: who is credited, from when, until when."""

from datetime import datetime, timedelta

from attribution.binding_nouns import Binding, BindingPolicy, CodeKind, Scan, ScanOutcome, StaffCode, TakeOver
from attribution.binding_rows import (
    binding_at,
    bindings_at,
    count_transfers,
    end_binding,
    insert_binding,
    insert_scan,
    mark_refused,
    select_binding,
    select_binding_policy,
    select_pending_transfer,
    spend_nonce,
)
from attribution.moments import lock_customer_at
from attribution.nouns import Staff
from attribution.people import select_staff_member
from attribution.tokens import StaffKeys, decode_staff_token
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.errors import Conflict, InvalidInput, NotFound
from millpond.kernel.ids import BindingId, CustomerId, StaffId

__all__ = [
    "bind_customer",
    "binding_at",
    "bindings_at",
    "find_scanned_staff",
    "refuse_transfer",
    "select_binding",
    "transfer_binding",
]


def bind_customer(conn: WriteConnection, *, token: str, customer_id: CustomerId, keys: StaffKeys, at: datetime) -> Scan:
    """A customer scanned a code: bind, or answer with the binding in force (the policy decides), in one transaction.

    Raises InvalidInput (forged, expired, voided, no longer employed, own code), Conflict (spent by somebody else),
    NotFound (no such customer).
    """
    code = decode_staff_token(keys, token, at=at)
    with conn.transaction():
        at = lock_customer_at(conn, customer_id, at)
        _require_bindable(conn, code, customer_id, at)
        _require_unspent(conn, code, customer_id, at)
        scan = _bind_or_keep(conn, customer_id, code, at)
        insert_scan(conn, customer_id, code, outcome=scan.outcome, at=at)
        return scan


def find_scanned_staff(conn: ReadConnection, code: StaffCode, at: datetime) -> Staff:
    """Whose code that is. Raises InvalidInput for a badge that was replaced and a person who has left."""
    staff = select_staff_member(conn, code.staff_id)
    if staff is None or not staff.employed_at(at):
        raise InvalidInput("this code belongs to nobody who works here now")
    if code.kind is CodeKind.BADGE and code.badge_version != staff.badge_version:
        raise InvalidInput("this badge was replaced: ask for the new one")
    return staff


def _require_bindable(conn: ReadConnection, code: StaffCode, customer_id: CustomerId, at: datetime) -> None:
    if find_scanned_staff(conn, code, at).customer_id == customer_id:
        raise InvalidInput("this is your own code: nobody can be bound to themselves")


def _require_unspent(conn: WriteConnection, code: StaffCode, customer_id: CustomerId, at: datetime) -> None:
    """A screen code binds one customer; the same customer may send it again (a retry), anybody else may not."""
    if code.nonce is not None and spend_nonce(conn, code.nonce, customer_id, at) != customer_id:
        raise Conflict("this code has already been used: ask for a fresh one")


def _bind_or_keep(conn: WriteConnection, customer_id: CustomerId, code: StaffCode, at: datetime) -> Scan:
    policy = select_binding_policy(conn, at)
    current = binding_at(conn, customer_id, at)
    if current is not None and not _may_take_over(conn, policy, current, code.staff_id, at):
        return Scan(current, ScanOutcome.ALREADY_BOUND)
    if current is not None:
        end_binding(conn, current, at)
    until = at + timedelta(days=policy.validity_days) if policy.validity_days is not None else None
    made = insert_binding(
        conn,
        customer_id=customer_id,
        staff_id=code.staff_id,
        bound_from=at,
        bound_until=until,
        source=code.kind,
        follows=current,
        at=at,
    )
    return Scan(made, ScanOutcome.BOUND)


def _may_take_over(
    conn: ReadConnection, policy: BindingPolicy, current: Binding, staff_id: StaffId, at: datetime
) -> bool:
    """First binding wins unless the policy says otherwise; a hand-over under way is not overtaken by a scan."""
    # One that begins at this very moment was made by a scan at the same time: nothing would be left of it.
    if current.staff_id == staff_id or current.bound_from >= at:
        return False
    if select_pending_transfer(conn, current.customer_id, at) is not None:
        return False
    match policy.take_over:
        case TakeOver.NEVER:
            return False
        case TakeOver.AFTER_PROTECTION:
            return current.bound_from + timedelta(days=policy.protection_days) <= at
        case TakeOver.ALWAYS:
            return True


def transfer_binding(
    conn: WriteConnection, binding_id: BindingId, *, to_staff_id: StaffId, at: datetime, reason: str | None = None
) -> Binding:
    """Start a hand-over: returns the new binding, which begins after the policy's delay unless refused before.

    Raises NotFound (binding), InvalidInput (the person to take over), Conflict (limits, a hand-over under way, ended).
    """
    with conn.transaction():
        old, at = _lock_binding(conn, binding_id, at)
        policy = select_binding_policy(conn, at)
        begins = at + timedelta(hours=policy.transfer_delay_hours)
        _require_transferable(conn, old, begins, at)
        _require_successor(conn, old, to_staff_id, at)
        _require_within_limits(conn, old, policy, at)
        # Until the hand-over begins the old binding is in force, and its person is credited.
        end_binding(conn, old, begins)
        return insert_binding(
            conn,
            customer_id=old.customer_id,
            staff_id=to_staff_id,
            bound_from=begins,
            bound_until=old.bound_until,
            source="transfer",
            follows=old,
            at=at,
            reason=reason,
        )


def refuse_transfer(conn: WriteConnection, binding_id: BindingId, *, customer_id: CustomerId, at: datetime) -> Binding:
    """The customer refuses a hand-over that has not begun: returns the binding that stays.

    `binding_id` is the new binding. Raises NotFound (another's, or none), Conflict (it has begun, or was refused).
    """
    with conn.transaction():
        at = lock_customer_at(conn, customer_id, at)
        refused = select_binding(conn, binding_id)
        if refused is None or refused.customer_id != customer_id or refused.follows is None:
            raise NotFound(f"hand-over {binding_id} is not known")
        if not mark_refused(conn, refused, at):
            raise Conflict("this hand-over can no longer be refused: it has begun or was refused before")
        kept = select_binding(conn, refused.follows)
        assert kept is not None
        return end_binding(conn, kept, refused.bound_until)


def _lock_binding(conn: WriteConnection, binding_id: BindingId, at: datetime) -> tuple[Binding, datetime]:
    """The binding as it is once its customer is locked, and the moment of what is then written."""
    found = select_binding(conn, binding_id)
    if found is None:
        raise NotFound(f"binding {binding_id} is not known")
    moment = lock_customer_at(conn, found.customer_id, at)
    current = select_binding(conn, binding_id)
    assert current is not None
    return current, moment


def _require_transferable(conn: ReadConnection, old: Binding, begins: datetime, at: datetime) -> None:
    if select_pending_transfer(conn, old.customer_id, at) is not None:
        raise Conflict("a hand-over of this customer is already under way")
    if old.refused_at is not None or old.bound_from > at or (old.bound_until is not None and old.bound_until <= begins):
        raise Conflict("this binding is not in force, or ends before a hand-over could begin")


def _require_successor(conn: ReadConnection, old: Binding, to_staff_id: StaffId, at: datetime) -> None:
    successor = select_staff_member(conn, to_staff_id)
    if successor is None or not successor.employed_at(at):
        raise InvalidInput(f"staff member {to_staff_id} does not work here now")
    if to_staff_id == old.staff_id:
        raise InvalidInput("the customer is already bound to this staff member")
    if successor.customer_id == old.customer_id:
        raise InvalidInput("nobody can be bound to themselves")


def _require_within_limits(conn: ReadConnection, old: Binding, policy: BindingPolicy, at: datetime) -> None:
    """So many hand-overs in a window while the person works here; after leaving, a time limit instead."""
    giver = select_staff_member(conn, old.staff_id)
    assert giver is not None
    if giver.left_at is not None and giver.left_at <= at:
        if at >= giver.left_at + timedelta(days=policy.leaver_days):
            raise Conflict(f"the staff member left more than {policy.leaver_days} days ago")
        return
    since = at - timedelta(days=policy.transfer_window_days)
    if count_transfers(conn, old.customer_id, since=since) >= policy.max_transfers:
        raise Conflict(
            f"this customer was already handed over {policy.max_transfers} times"
            f" in the last {policy.transfer_window_days} days"
        )
