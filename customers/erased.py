"""People who asked to be forgotten: who they are, that they were, and what keeps them out when something comes late."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from customers.identifiers import Identifier
from customers.nouns import Namespace
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.errors import NotFound
from millpond.kernel.ids import CustomerId, new_id
from millpond.kernel.personal import Person

_Q = load_queries("customers.personal")


@dataclass(frozen=True, slots=True)
class Erasure:
    """That a person asked for it; once it is finished, all ids that were theirs, and how many rows of what went."""

    erasure_id: str
    customer_ids: list[CustomerId]
    requested_at: datetime
    requested_by: str
    finished_at: datetime | None
    report: dict[str, int] = field(hash=False)


def request_erasure(conn: WriteConnection, customer_id: CustomerId, *, actor: str, at: datetime) -> Erasure:
    """Note that this person is to be erased, which is not taken back; who asked first counts."""
    values = {"erasure_id": new_id("era"), "customer_id": customer_id, "actor": actor, "at": at}
    conn.execute(_Q["insert_erasure"], values)
    found = select_erasure(conn, customer_id)
    assert found is not None
    return found


def select_erasure(conn: ReadConnection, customer_id: str) -> Erasure | None:
    """The erasure of the person who has or had this id."""
    with conn.cursor(row_factory=class_row(Erasure)) as cursor:
        return cursor.execute(_Q["select_erasure"], {"customer_id": customer_id}).fetchone()


def select_unfinished_erasures(conn: ReadConnection, *, limit: int = 100) -> list[Erasure]:
    """What was asked for and is not finished, since whoever began it was stopped; the oldest first."""
    with conn.cursor(row_factory=class_row(Erasure)) as cursor:
        return cursor.execute(_Q["select_unfinished_erasures"], {"limit": limit}).fetchall()


def finish_erasure(
    conn: WriteConnection, erasure: Erasure, person: Person, report: Mapping[str, int], *, at: datetime
) -> Erasure:
    """Say that it is done, and what went."""
    values = {"erasure_id": erasure.erasure_id, "customer_ids": list(person.customer_ids), "at": at}
    conn.execute(_Q["finish_erasure"], values | {"report": Jsonb(dict(report))})
    return replace(erasure, customer_ids=list(person.customer_ids), finished_at=at, report=dict(report))


def lock_out(conn: WriteConnection) -> None:
    """Wait for whoever is storing what people did, and let nobody else until this transaction ends.

    To be called first: who stores takes the customers' locks after this one.
    """
    conn.execute(_Q["lock_out"])


def keep_in(conn: WriteConnection) -> None:
    """Let no one be erased until this transaction ends; whoever stores what people did calls it before it looks."""
    conn.execute(_Q["keep_in"])


def lock_person(conn: WriteConnection, customer_id: CustomerId) -> Person:
    """All that is this person; until the transaction ends nobody merges them, offers or sells to them.

    Whoever merged them meanwhile is waited for, and then it is looked again. Raises NotFound.
    """
    before: list[CustomerId] | None = None
    while (ids := _lock_ids(conn, customer_id)) != before:
        before = ids
    if not ids:
        raise NotFound(f"customer {customer_id[:80]} is not known")
    return _person(conn, ids)


def select_person(conn: ReadConnection, customer_id: CustomerId) -> Person:
    """Everything that is this person now."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        ids = cursor.execute(_Q["select_ids"], {"customer_id": customer_id}).fetchall()
    return _person(conn, ids)


def _person(conn: ReadConnection, customer_ids: Collection[CustomerId]) -> Person:
    """The person with these ids, and the identifiers that lead to nobody else."""
    values = {"customer_ids": list(customer_ids)}
    with conn.cursor(row_factory=scalar_row) as cursor:
        identifier_ids = cursor.execute(_Q["select_identifiers_of_one_person"], values).fetchall()
    return Person(tuple(customer_ids), tuple(identifier_ids))


def remember_erased(conn: WriteConnection, person: Person, *, at: datetime) -> None:
    """Keep out what was done under their identifiers until now and comes later, and let them agree to nothing."""
    conn.execute(_Q["remember_erased"], {"identifier_ids": list(person.identifier_ids), "at": at})
    conn.execute(_Q["withdraw_everything"], {"customer_ids": list(person.customer_ids), "at": at})


def select_erased(conn: ReadConnection, named: Collection[Identifier]) -> dict[Identifier, datetime]:
    """Of these identifiers those of somebody who was erased, and when."""
    wanted = list(named)
    values = {"namespaces": [namespace for namespace, _ in wanted], "keys": [key for _, key in wanted]}
    rows = conn.execute(_Q["select_erased"], values)
    return {(Namespace(namespace), key): erased_at for namespace, key, erased_at in rows}


def _lock_ids(conn: WriteConnection, customer_id: CustomerId) -> list[CustomerId]:
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(_Q["lock_ids"], {"customer_id": customer_id}).fetchall()
