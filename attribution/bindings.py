"""Scanning a staff member's code, and handing a customer over."""

from datetime import datetime

from attribution.nouns import Binding, Scan
from attribution.tokens import StaffKeys
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.ids import BindingId, CustomerId, StaffId


def bind_customer(conn: WriteConnection, *, token: str, customer_id: CustomerId, keys: StaffKeys, at: datetime) -> Scan:
    """A customer scanned a code: bind, or answer with the binding in force (the policy decides), in one transaction.

    Raises InvalidInput (forged, expired, voided, no longer employed, own code), Conflict (spent by somebody else),
    NotFound (no such customer).
    """
    raise NotImplementedError


def transfer_binding(
    conn: WriteConnection, binding_id: BindingId, *, to_staff_id: StaffId, at: datetime, reason: str | None = None
) -> Binding:
    """Start a hand-over: returns the new binding, which begins after the policy's delay unless refused before.

    Raises NotFound (binding), InvalidInput (the person to take over), Conflict (limits, a hand-over under way, ended).
    """
    raise NotImplementedError


def refuse_transfer(conn: WriteConnection, binding_id: BindingId, *, customer_id: CustomerId, at: datetime) -> Binding:
    """The customer refuses a hand-over that has not begun (`binding_id` is the new binding): returns the one that stays."""
    raise NotImplementedError


def binding_at(conn: ReadConnection, customer_id: CustomerId, at: datetime) -> Binding | None:
    """The binding in force at that moment."""
    raise NotImplementedError


def select_binding(conn: ReadConnection, binding_id: str) -> Binding | None:
    """The binding with this id."""
    raise NotImplementedError


def select_bindings(conn: ReadConnection, customer_id: CustomerId) -> list[Binding]:
    """All bindings of a customer, refused hand-overs too, oldest first."""
    raise NotImplementedError
