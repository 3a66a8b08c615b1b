"""Who saw or changed what of a person is written once, in one chain, and whoever changes the log is found out."""

import hashlib
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import psycopg
import pytest

from customers.audit.chain import Fault, Noted, Wrong, read_noted, select_noted, verify_chain
from customers.audit.entries import record_audit, record_audit_of, select_entries
from millpond.kernel.db import ReadConnection, WriteConnection, connect
from millpond.kernel.errors import InvalidInput
from millpond.kernel.ids import CustomerId
from tests.endings import retain
from tests.people import AT

ANN = CustomerId("cus_ann")
BEN = CustomerId("cus_ben")


def look(conn: WriteConnection, customer_id: CustomerId | None = ANN, at: datetime = AT, **detail: Any) -> None:
    record_audit(
        conn, actor="operator:o", action="saw", customer_id=customer_id, because="operator", detail=detail, at=at
    )


def look_often(conn: WriteConnection, times: int = 6) -> None:
    for number in range(times):
        look(conn, at=AT + timedelta(days=number), call=f"GET /{number + 1}")


def find_fault(conn: ReadConnection, noted: Noted | None = None) -> Fault | None:
    return verify_chain(conn, noted).fault


def tamper(conn: WriteConnection, *statements: LiteralString) -> None:
    """What somebody does who may do anything in the database."""
    conn.execute("set local session_replication_role = replica")
    for statement in statements:
        conn.execute(statement)
    conn.execute("set local session_replication_role = origin")


def test_an_entry_says_who_did_what_to_whom_when_and_why(conn: WriteConnection) -> None:
    look(conn, call="GET /v1/customers/{customer_id}")
    look(conn, None)
    (nobody, one) = select_entries(conn)
    assert (nobody.customer_id, one.customer_id, one.actor, one.action) == (None, ANN, "operator:o", "saw")
    assert (one.because, one.detail, one.at) == ("operator", {"call": "GET /v1/customers/{customer_id}"}, AT)


def test_a_set_of_customers_is_an_entry_each_in_one_chain(conn: WriteConnection) -> None:
    record_audit_of(
        conn, actor="staff:s", action="saw", customer_ids=[BEN, ANN], because="till", detail={"call": "GET /"}, at=AT
    )
    look(conn)
    assert [entry.customer_id for entry in select_entries(conn)] == [ANN, ANN, BEN]
    assert [entry.number for entry in select_entries(conn, customer_ids=[BEN])] == [1]
    assert [entry.number for entry in select_entries(conn, actor="staff:s", before=2)] == [1]
    verified = verify_chain(conn)
    assert (verified.entries, verified.fault, verified.head) == (3, None, select_noted(conn))


def test_what_is_no_word_is_refused_so_that_nobody_writes_a_name(conn: WriteConnection) -> None:
    for words in ({"action": "saw Ann"}, {"because": "Ann asked"}, {"actor": "ann"}):
        given = {"actor": "operator:o", "action": "saw", "because": "operator"} | words
        with pytest.raises(InvalidInput):
            record_audit(conn, customer_id=ANN, detail={}, at=AT, **given)
    assert select_entries(conn) == []


def test_anybody_can_work_out_the_chain_without_us(conn: WriteConnection) -> None:
    look(
        conn,
        at=AT + timedelta(microseconds=7),
        call='"\\\n\x01\x7f 이름',
        ids=["b", 1, None, True],
        a={"z": 1, "bb": 2},
    )
    look(conn, None)
    previous = bytes(32)
    rows = conn.execute(
        "select number, at, actor, action, customer_id, because, detail, digest from audit_entry order by 1"
    )
    for number, at, actor, action, customer_id, because, detail, digest in rows:
        micros = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        text = [number, micros, actor, action, customer_id, because, _as_jsonb_sorts(detail)]
        previous = hashlib.sha256(previous + json.dumps(text, ensure_ascii=False).encode()).digest()
        assert previous == digest
    assert select_noted(conn) == Noted(2, previous)


def _as_jsonb_sorts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_jsonb_sorts(value[key]) for key in sorted(value, key=lambda key: (len(key.encode()), key))}
    return value


_SWAP: LiteralString = """
    update audit_entry set number = 99 where number = 4; update audit_entry set number = 4 where number = 5;
    update audit_entry set number = 5 where number = 99"""


@pytest.mark.parametrize(
    ("statement", "number", "wrong"),
    [
        ("update audit_entry set actor = 'operator:p' where number = 3", 3, Wrong.CHANGED),
        ("update audit_entry set at = at + interval '1 us' where number = 1", 1, Wrong.CHANGED),
        ("update audit_entry set customer_id = null where number = 6", 6, Wrong.CHANGED),
        ('update audit_entry set detail = \'{"call": "GET /"}\' where number = 2', 2, Wrong.CHANGED),
        ("delete from audit_entry where number = 1", 1, Wrong.MISSING),
        ("delete from audit_entry where number in (3, 4)", 3, Wrong.MISSING),
        ("update audit_entry set number = number + 10 where number > 3", 4, Wrong.CUT_OFF),
        (_SWAP, 4, Wrong.REORDERED),
        ("delete from audit_entry where number > 4", 5, Wrong.CUT_OFF),
        ("delete from audit_entry", 1, Wrong.CUT_OFF),
    ],
)
def test_the_first_entry_that_is_wrong_is_found_and_how(
    conn: WriteConnection, statement: LiteralString, number: int, wrong: Wrong
) -> None:
    look_often(conn)
    assert find_fault(conn) is None
    tamper(conn, statement)
    fault = find_fault(conn)
    assert fault is not None
    assert (fault.number, fault.wrong) == (number, wrong)
    assert str(number) in fault.sentence


_SEAL_ANEW: LiteralString = """
    update audit_entry e set digest = audit_digest(previous, number, at, actor, action, customer_id, because, detail)
    where number = {}"""


def test_an_entry_that_was_sealed_anew_is_not_followed_by_the_next(conn: WriteConnection) -> None:
    look_often(conn)
    tamper(conn, "update audit_entry set because = 'till' where number = 3", _SEAL_ANEW.replace("{}", "3"))
    fault = find_fault(conn)
    assert fault is not None
    assert (fault.number, fault.wrong) == (4, Wrong.REORDERED)
    assert "entry 4 does not follow entry 3" in fault.sentence


def test_the_newest_entry_is_held_against_the_head(conn: WriteConnection) -> None:
    look_often(conn)
    tamper(conn, "update audit_entry set because = 'till' where number = 6", _SEAL_ANEW.replace("{}", "6"))
    fault = find_fault(conn)
    assert fault is not None
    assert (fault.number, fault.wrong) == (6, Wrong.CHANGED)


def test_a_log_that_was_cut_off_with_its_head_is_found_by_the_head_that_was_noted(conn: WriteConnection) -> None:
    look_often(conn)
    noted = read_noted(f" {select_noted(conn)}\n")
    cut = "update audit_head h set number = 4, digest = e.digest from audit_entry e where e.number = 4"
    tamper(conn, "delete from audit_entry where number > 4", cut)
    assert find_fault(conn) is None
    fault = find_fault(conn, noted)
    assert fault is not None
    assert (fault.number, fault.wrong) == (5, Wrong.CUT_OFF)
    for number in range(2):
        look(conn, at=AT, call=f"GET /other/{number}")
    assert find_fault(conn) is None
    fault = find_fault(conn, noted)
    assert fault is not None
    assert (fault.number, fault.wrong) == (6, Wrong.CHANGED)
    look(conn)
    assert find_fault(conn, select_noted(conn)) is None


@pytest.mark.parametrize("text", ["", "7", "7:abc", "x:" + "0" * 64, "7:" + "0" * 62, "7:" + "g" * 64])
def test_what_was_not_printed_is_no_noted_head(text: str) -> None:
    with pytest.raises(InvalidInput, match="millpond audit head"):
        read_noted(text)


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_entry set actor = 'operator:p'",
        "delete from audit_entry where number = 6",
        "delete from audit_entry where number = 1",
        "truncate audit_entry",
        "delete from audit_head",
        "truncate audit_head",
        "update audit_head set number = number - 1",
        "update audit_head set begins_after = number + 1",
    ],
)
def test_no_entry_is_changed_or_taken_away(conn: WriteConnection, statement: LiteralString) -> None:
    look_often(conn)
    with pytest.raises(psycopg.errors.CheckViolation), conn.transaction():
        conn.execute(statement)
    assert verify_chain(conn).entries == 6


def test_the_oldest_entries_go_by_their_age_and_the_rest_is_still_one_chain(conn: WriteConnection) -> None:
    look_often(conn)
    early = Noted(2, select_entries(conn, before=3)[0].digest)
    gone = retain(conn, AT + timedelta(days=12), audit_keep_days=10)
    assert gone["audit entries"] == 2
    verified = verify_chain(conn, early)
    assert (verified.entries, verified.fault) == (4, None)
    tamper(conn, "delete from audit_entry where number = 3")
    fault = find_fault(conn)
    assert fault is not None
    assert (fault.number, fault.wrong) == (3, Wrong.MISSING)


def test_the_newest_entry_stays_whatever_its_age_and_a_late_old_one_does_not_cut_the_chain(
    conn: WriteConnection,
) -> None:
    look_often(conn, 2)
    look(conn, at=AT + timedelta(days=100))
    look(conn, at=AT)
    assert retain(conn, AT + timedelta(days=50), audit_keep_days=10)["audit entries"] == 2
    assert retain(conn, AT + timedelta(days=500), audit_keep_days=10)["audit entries"] == 1
    verified = verify_chain(conn)
    assert (verified.entries, verified.fault, verified.head.number) == (1, None, 4)


def test_two_writers_take_turns_and_the_chain_does_not_fork(database: str) -> None:
    each = 25

    def write(actor: str) -> None:
        with connect(database) as conn:
            for _ in range(each):
                with conn.transaction():
                    record_audit(conn, actor=actor, action="saw", customer_id=ANN, because="operator", detail={}, at=AT)

    writers = [threading.Thread(target=write, args=(f"operator:{name}",)) for name in ("a", "b", "c")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with connect(database) as conn:
        verified = verify_chain(conn)
        assert (verified.entries, verified.fault, verified.head.number) == (75, None, 75)
        assert len({entry.actor for entry in select_entries(conn, limit=75)}) == 3


def test_long_chains_are_walked_in_stretches_that_join(conn: WriteConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.audit.chain._STRETCH", 2)
    look_often(conn, 5)
    seen: list[tuple[int, int]] = []
    assert verify_chain(conn, on_progress=lambda *done_of: seen.append(done_of)).fault is None
    assert seen == [(2, 5), (4, 5), (5, 5)]
    tamper(conn, "delete from audit_entry where number in (2, 3)")
    fault = find_fault(conn)
    assert fault is not None
    assert (fault.number, fault.wrong, fault.sentence) == (2, Wrong.MISSING, "entries 2 to 3 are missing")
