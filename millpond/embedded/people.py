"""The first people of a platform: who works in a shop, and whose badge a customer scanned."""

from datetime import datetime

from attribution.binding_nouns import Scan
from attribution.bindings import bind_customer
from attribution.nouns import Staff
from attribution.people import register_staff, register_store
from attribution.tokens import StaffKeys, issue_badge_token
from customers.consent import record_consent
from customers.nouns import Purpose
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import CustomerId


def open_shop(
    conn: WriteConnection, *, name: str, staff: str, at: datetime, currency: str = "EUR", time_zone: str = "UTC"
) -> Staff:
    """A new shop and the one person who works there."""
    store = register_store(conn, name=name, currency=currency, time_zone=time_zone, at=at)
    return register_staff(conn, store_id=store.store_id, name=staff, at=at)


def scan_badge(conn: WriteConnection, keys: StaffKeys, staff: Staff, customer_id: CustomerId, *, at: datetime) -> Scan:
    """The customer scans the badge that this person carries now, and agrees to be contacted by them about offers.

    Raises what `bind_customer` raises.
    """
    scan = bind_customer(conn, token=issue_badge_token(keys, staff), customer_id=customer_id, keys=keys, at=at)
    evidence = {"scan_of": staff.staff_id}
    record_consent(
        conn, customer_id, Purpose.STAFF_CONTACT, version=1, given=True, at=at, source="store", evidence=evidence
    )
    return scan
