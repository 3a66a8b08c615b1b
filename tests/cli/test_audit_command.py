"""`millpond audit`: whether the log of looks is whole, its head, and what stands in it."""

import json

from customers.audit.entries import record_audit_of
from millpond.kernel.db import connect
from millpond.kernel.ids import CustomerId
from tests.cli.conftest import Run, assert_one_sentence
from tests.people import AT


def fill(database: str) -> None:
    ids = [CustomerId(f"cus_{number}") for number in range(3)]
    with connect(database) as conn:
        record_audit_of(
            conn,
            actor="operator:o",
            action="saw",
            customer_ids=ids,
            because="operator",
            detail={"call": "GET /x"},
            at=AT,
        )


def test_a_whole_log_is_told_as_one_and_its_head_is_what_it_is_held_against(database: str, millpond: Run) -> None:
    fill(database)
    head = millpond("audit", "head", MILLPOND_DATABASE_URL=database).stdout.strip()
    done = millpond("audit", "verify", "--head", head, MILLPOND_DATABASE_URL=database)
    assert (done.returncode, done.stdout) == (0, f"3 entries, one chain; its head is {head}\n")
    listed = millpond("audit", "list", "--customer", "cus_1", MILLPOND_DATABASE_URL=database).stdout
    assert "operator:o" in listed
    assert "1 entries" in listed
    with connect(database) as conn:
        conn.execute("set session_replication_role = replica")
        conn.execute("delete from audit_entry where number = 3")
        conn.execute("update audit_head h set number = 2, digest = e.digest from audit_entry e where e.number = 2")
    assert millpond("audit", "verify", MILLPOND_DATABASE_URL=database).returncode == 0
    cut = millpond("audit", "verify", "--head", head, MILLPOND_DATABASE_URL=database)
    assert_one_sentence(cut, "entry 3 was noted", "cut off")


def test_a_changed_log_is_told_with_its_first_wrong_entry(database: str, millpond: Run) -> None:
    fill(database)
    with connect(database) as conn:
        conn.execute("set session_replication_role = replica")
        conn.execute("update audit_entry set actor = 'operator:p' where number = 2")
    done = millpond("audit", "verify", "--json", MILLPOND_DATABASE_URL=database)
    assert_one_sentence(done, "entry 2 was changed")
    fault = json.loads(done.stdout)["fault"]
    assert (fault["number"], fault["wrong"]) == (2, "changed")
    assert_one_sentence(millpond("audit", "verify", "--head", "7", MILLPOND_DATABASE_URL=database), "NUMBER:DIGEST")
