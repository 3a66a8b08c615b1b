"""Erasing a person: everything that any package says it has of them, in one transaction.

That they asked is written down before, in a transaction of its own. So whoever is stopped on the way has changed
nothing, and the job `erasures` does it again from the beginning.
"""

from datetime import datetime

from customers.audit.entries import record_audit
from customers.erased import (
    Erasure,
    finish_erasure,
    lock_out,
    lock_person,
    remember_erased,
    select_erasure,
    select_unfinished_erasures,
)
from dam.personal import personal_tables
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import CustomerId
from millpond.kernel.jobs import Claim, held
from millpond.kernel.personal import erase_rows


def erase_person(conn: WriteConnection, erasure: Erasure, *, actor: str, at: datetime) -> Erasure:
    """Let go what is known of a person under any of their ids; one who was erased before is answered as then.

    Events that are being stored are waited for, and those that come meanwhile wait: none of a person's is stored behind
    it. So is whoever merges them.
    """
    customer_id = CustomerId(erasure.customer_ids[0])
    with conn.transaction():
        lock_out(conn)
        person = lock_person(conn, customer_id)
        found = select_erasure(conn, customer_id)
        if found is not None and found.finished_at is not None:
            return found
        remember_erased(conn, person, at=at)
        report = {table.name: erase_rows(conn, table, person, at) for table in personal_tables()}
        done = finish_erasure(conn, erasure, person, {name: rows for name, rows in report.items() if rows}, at=at)
        record_audit(
            conn,
            actor=actor,
            action="erased",
            customer_id=customer_id,
            because="their_wish",
            detail={"erasure": erasure.erasure_id, "ids": list(person.customer_ids)},
            at=at,
        )
        return done


def finish_erasures(conn: WriteConnection, at: datetime, *, claim: Claim | None = None) -> int:
    """Carry out what was asked for and not finished; how many it was. The job `erasures` runs it."""
    waiting = select_unfinished_erasures(conn)
    for erasure in waiting:
        with held(conn, claim):
            erase_person(conn, erasure, actor=erasure.requested_by, at=at)
    return len(waiting)
