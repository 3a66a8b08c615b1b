"""Consent by purpose: what a customer said, and what may be done because of it.

The rule itself is the SQL function `consents_in_force(customer_ids, moment)`: the newest word on a purpose counts, and
without one a purpose holds unless its basis is consent. For an id that is no customer's nothing holds. Queries of other
packages may call it, or `consent_in_force`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from psycopg.rows import kwargs_row
from psycopg.types.json import Jsonb

from customers.nouns import Basis, Purpose
from millpond.kernel.db import ReadConnection, Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import InvalidInput
from millpond.kernel.ids import CustomerId

_Q = load_queries("customers")
_REFUSALS: Refusals = {
    "consent_to_a_version": partial(InvalidInput, "that version of the purpose is not known"),
    "consent_customer_id_fkey": partial(InvalidInput, "that customer is not known"),
    "consent_yes_written_down_has_evidence": partial(
        InvalidInput, "evidence: say how the customer said yes, and where that can be found (how, reference)"
    ),
    "consent_source": partial(InvalidInput, "a source is a word in small letters, like app, web or store"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a customer stands to a purpose: its newest version, and what they said last, to which words, when and where.

    `given` is None for who said nothing. `holds` is what the SQL rule says: whether we may.
    """

    purpose: Purpose
    version: int
    basis: Basis
    words: dict[str, str]
    uses: dict[str, str] | None
    keeps: dict[str, str] | None
    given: bool | None
    said_version: int | None
    said_words: dict[str, str] | None
    said_at: datetime | None
    source: str | None
    holds: bool

    @property
    def yes_at(self) -> datetime | None:
        """When they said yes to the words of now; None for who did not, or takes it back."""
        return self.said_at if self.given and self.said_version == self.version else None


@dataclass(frozen=True, slots=True)
class Said:
    """One yes or no, and the words it was said to."""

    consent_id: int
    purpose: Purpose
    version: int
    given: bool
    at: datetime
    source: str
    words: dict[str, str]


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


def agrees_to(conn: ReadConnection, customer_id: CustomerId, purpose: Purpose, at: datetime) -> bool:
    """Whether one purpose holds for one customer at `at`."""
    return purpose in consents_in_force(conn, [customer_id], at)[customer_id]


def select_standings(conn: ReadConnection, customer_id: CustomerId, at: datetime) -> list[Standing]:
    """What a customer said last to each purpose, in their order, and whether it holds at `at`."""
    values = {"customer_id": customer_id, "at": at}
    with conn.cursor(row_factory=kwargs_row(_standing)) as cursor:
        found = {each.purpose: each for each in cursor.execute(_Q["select_standings"], values)}
    return [found[purpose] for purpose in Purpose if purpose in found]


def select_said(
    conn: ReadConnection, customer_id: CustomerId, *, before: tuple[datetime, int] | None = None, limit: int = 50
) -> list[Said]:
    """Every yes and no of a customer, newest first, after the (time, number) `before`."""
    at, number = before or (None, None)
    values = {"customer_id": customer_id, "before_at": at, "before_id": number, "limit": limit}
    with conn.cursor(row_factory=kwargs_row(_said)) as cursor:
        return cursor.execute(_Q["select_said"], values).fetchall()


def _standing(*, purpose: str, basis: str, **columns: Any) -> Standing:
    return Standing(Purpose(purpose), basis=Basis(basis), **columns)


def _said(*, purpose: str, **columns: Any) -> Said:
    return Said(purpose=Purpose(purpose), **columns)
