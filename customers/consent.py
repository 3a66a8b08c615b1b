"""Consent by purpose: what a customer said, and what may be done because of it.

The rule itself is the SQL function `consents_in_force(customer_ids, moment)`: the newest word on a purpose counts, and
without one a purpose holds unless its basis is consent. For an id that is no customer's nothing holds. Queries of other
packages may call it, or `consent_in_force`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from psycopg.types.json import Jsonb

from customers.nouns import Medium, Purpose
from millpond.kernel.db import ReadConnection, Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import InvalidInput
from millpond.kernel.ids import CustomerId

_Q = load_queries("customers")
_REFUSALS: Refusals = {
    "consent_to_a_version": partial(InvalidInput, "that version of the purpose is not known"),
    "consent_customer_id_fkey": partial(InvalidInput, "that customer is not known"),
    "consent_source": partial(InvalidInput, "a source is a word in small letters, like app, web or store"),
}
_NEEDED_TO_SEND = {
    Medium.PUSH: Purpose.MARKETING_APP,
    Medium.EMAIL: Purpose.MARKETING_EMAIL,
    Medium.SMS: Purpose.MARKETING_SMS,
    Medium.STAFF: Purpose.STAFF_CONTACT,
}


def record_consent(
    conn: WriteConnection,
    customer_id: CustomerId,
    purpose: Purpose,
    *,
    version: int,
    given: bool,
    at: datetime,
    source: str,
    evidence: Mapping[str, Any],
) -> None:
    """The customer said yes (`given`) or no to a version of a purpose: one more row, which is never changed.

    `version` is the one whose words they were shown, `source` where (app, web, store, import), and `evidence` what
    proves it. Raises InvalidInput for an unknown customer, version or source.
    """
    values = {
        "customer_id": customer_id,
        "purpose": purpose,
        "version": version,
        "given": given,
        "at": at,
        "source": source,
        "evidence": Jsonb(dict(evidence)),
    }
    with refusing(conn, _REFUSALS):
        conn.execute(_Q["insert_consent"], values)


def consents_in_force(
    conn: ReadConnection, customer_ids: Iterable[CustomerId], at: datetime
) -> dict[CustomerId, frozenset[Purpose]]:
    """For each of the customers the purposes that hold at `at`, in one query however many they are."""
    ids = list(set(customer_ids))
    held: dict[CustomerId, set[Purpose]] = {customer_id: set() for customer_id in ids}
    for customer_id, purpose in conn.execute(_Q["select_consents_in_force"], {"customer_ids": ids, "at": at}):
        held[customer_id].add(Purpose(purpose))
    return {customer_id: frozenset(purposes) for customer_id, purposes in held.items()}


def may_send(conn: ReadConnection, customer_id: CustomerId, medium: Medium, at: datetime) -> bool:
    """Whether an offer may be sent to the customer by this medium at `at`.

    It is the gate for whatever sends, to be asked at the moment of sending. Nothing sends yet.
    """
    return _NEEDED_TO_SEND[medium] in consents_in_force(conn, [customer_id], at)[customer_id]
