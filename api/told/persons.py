"""A person, as people are told: the account, by what they are known, and who was merged into whom."""

from datetime import datetime

from api.models import Out
from api.told.customers import CustomerOut
from customers.identity.by_hand import select_known_by
from customers.identity.merging import select_merges_of
from customers.nouns import Customer
from millpond.kernel.db import ReadConnection


class IdentifierOut(Out):
    """A name of a person. `key` is null for an e-mail or a phone, of which only an HMAC is kept.

    `because` says what linked it (identify, login, scan, receipt, by_hand, …); without `valid_until` it is in force.
    """

    namespace: str
    key: str | None
    valid_from: datetime
    valid_until: datetime | None
    because: str
    blocked_because: str | None


class MergeOut(Out):
    """`absorbed` was found to be `survivor`; since `undone_at` they are two again."""

    merge_id: str
    absorbed: str
    survivor: str
    merged_at: datetime
    because: str
    merged_by: str
    undone_at: datetime | None
    undone_by: str | None


class PersonOut(Out):
    """A customer with what is known of who they are; staff members are told the account alone."""

    customer: CustomerOut
    identifiers: list[IdentifierOut]
    merges: list[MergeOut]


def tell_person(conn: ReadConnection, customer: Customer, *, names: bool, merges: bool) -> PersonOut:
    """A person with their names and merges, where those who ask may know them."""
    known_by = select_known_by(conn, customer.customer_id) if names else []
    merged = select_merges_of(conn, customer.customer_id) if merges else []
    return PersonOut(
        customer=CustomerOut.model_validate(customer),
        identifiers=[IdentifierOut.model_validate(each) for each in known_by],
        merges=[MergeOut.model_validate(each) for each in merged],
    )
