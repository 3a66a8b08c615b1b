"""What is missing is asked for, patiently and in turn, and what is kept of it has a limit."""

import json
import logging
from datetime import timedelta

import pytest

from devices.wire import SEQ_MAX
from ingest.nouns import Complete, Gap
from ingest.storing.batch import store_batch
from millpond.kernel.db import WriteConnection
from tests.ingest.watched import LIMITS, NOW, A, B, Watch, complete, delivery, register_two, store_seqs


@pytest.fixture(autouse=True)
def _devices(conn: WriteConnection) -> None:
    register_two(conn)


@pytest.fixture
def watch(conn: WriteConnection) -> Watch:
    return Watch(conn)


def test_a_gap_is_asked_for_once_it_stands_still(conn: WriteConnection, watch: Watch) -> None:
    store_seqs(conn, [1, 4])
    assert watch.look(timedelta(seconds=2)) == []
    assert watch.look(timedelta(seconds=2)) == [Gap(A, "b", 2, 3)]
    [(serial, command)] = watch.commands
    assert (serial, command.boot, command.from_seq, command.to_seq) == (A, "b", 2, 3)


def test_a_gap_that_is_being_filled_is_left_in_peace(conn: WriteConnection, watch: Watch) -> None:
    store_seqs(conn, [41])
    for seq in range(1, 40, 3):
        store_seqs(conn, range(seq, seq + 3))
        assert watch.look(timedelta(seconds=2)) == []
    assert watch.look(timedelta(seconds=2)) == [Gap(A, "b", 40, 40)]


def test_a_gap_that_is_filled_from_its_end_is_left_in_peace_too(conn: WriteConnection, watch: Watch) -> None:
    store_seqs(conn, [1, 41])
    for seq in range(40, 10, -3):
        store_seqs(conn, range(seq - 2, seq + 1))
        assert watch.look(timedelta(seconds=2)) == []


def test_a_second_gap_of_a_boot_does_not_wait_for_the_first(conn: WriteConnection, watch: Watch) -> None:
    store_seqs(conn, [1, 3])
    assert watch.look() == [Gap(A, "b", 2, 2)]
    store_seqs(conn, [5])
    assert watch.look() == [Gap(A, "b", 4, 4)]


def test_a_gap_of_a_boot_that_has_ended_is_asked_for_as_well(conn: WriteConnection, watch: Watch) -> None:
    store_seqs(conn, [1, 3], boot="old")
    store_seqs(conn, [1, 2], boot="new")
    assert watch.look() == [Gap(A, "old", 2, 2)]


def test_patience_doubles_and_has_an_end(conn: WriteConnection, watch: Watch) -> None:
    store_seqs(conn, [1, 3])
    watch.look()
    waits = []
    for _ in range(16):
        [(wait,)] = conn.execute("select ask_at - asked_at from watched_gap").fetchall()
        waits.append(round(wait.total_seconds()))
        assert watch.look(wait - timedelta(seconds=1)) == []
        assert watch.look(timedelta(seconds=1)) == [Gap(A, "b", 2, 2)]
    assert waits == [*(6 * 2**n for n in range(12)), *[21_600] * 4]


def test_what_moves_is_asked_for_with_new_patience(conn: WriteConnection, watch: Watch) -> None:
    store_seqs(conn, [1, 9])
    for hours in range(12):
        watch.look(timedelta(hours=hours))
    store_seqs(conn, [8])
    assert watch.look() == [Gap(A, "b", 2, 7)]


def test_one_device_with_any_number_of_gaps_does_not_delay_another(conn: WriteConnection, watch: Watch) -> None:
    for boot in range(30):
        store_seqs(conn, range(1, 101, 2), boot=f"flood-{boot}")
    watch.look(timedelta(seconds=1))
    store_seqs(conn, [1, 3], serial=B)
    asked = watch.look()
    assert Gap(B, "b", 2, 2) in asked
    assert 0 < len([gap for gap in asked if gap.serial == A]) <= 10


def test_of_many_boots_of_one_device_each_comes_to_its_turn(conn: WriteConnection, watch: Watch) -> None:
    for boot in range(30):
        store_seqs(conn, range(1, 60, 2), boot=f"boot-{boot}")
    asked = {gap.boot for _ in range(3) for gap in watch.look()}
    assert len(asked) == 30


def test_silence_gives_nothing_up(conn: WriteConnection, watch: Watch) -> None:
    store_seqs(conn, [1, 3])
    for _ in range(40):
        assert watch.look(timedelta(days=1)) == [Gap(A, "b", 2, 2)]
    store_seqs(conn, [4, 5])
    assert (complete(conn), watch.acks) == (1, [])


@pytest.mark.parametrize("to", [10, 10**6, SEQ_MAX])
def test_a_device_gives_up_only_what_is_missing(conn: WriteConnection, to: int) -> None:
    """Said of more than that, it would acknowledge what is still to come."""
    store_seqs(conn, [1, 5])
    gone = json.dumps({"status": "gone", "boot": "b", "from": 0, "to": to}).encode()
    batch = store_batch(conn, [delivery(gone, channel="command/c1/result")], LIMITS, consumer="test", at=NOW)
    assert batch.complete == [Complete(A, "b", 5)]
    assert store_seqs(conn, [7]).complete == [Complete(A, "b", 5)]


def test_a_boot_that_nobody_heard_of_cannot_be_given_up(conn: WriteConnection) -> None:
    gone = json.dumps({"status": "gone", "boot": "new", "from": 1, "to": 9}).encode()
    store_batch(conn, [delivery(gone, channel="command/c1/result")], LIMITS, consumer="test", at=NOW)
    assert store_seqs(conn, [3], boot="new").complete == []


def test_a_boot_with_gaps_without_end_is_kept_within_its_limit(
    conn: WriteConnection, caplog: pytest.LogCaptureFixture
) -> None:
    for begin in range(1, 1001, 100):
        with caplog.at_level(logging.WARNING):
            batch = store_seqs(conn, range(begin, begin + 100, 2))
    assert batch.complete == [Complete(A, "b", 1)]
    kept = conn.execute("select (select count(*) from unnest(received)), overflow_at from sequence").fetchall()
    assert kept == [(50, NOW)]
    assert conn.execute("select count(*) from watched_gap").fetchone() == (20,)
    assert "more gaps than are kept" in caplog.text


def test_a_boot_beyond_its_limit_is_whole_again_when_everything_comes_again(conn: WriteConnection) -> None:
    store_seqs(conn, range(1, 400, 2))
    assert store_seqs(conn, range(1, 200)).complete == [Complete(A, "b", 199)]
    assert store_seqs(conn, range(200, 401)).complete == [Complete(A, "b", 400)]
    assert conn.execute("select count(*) from reading").fetchone() == (400,)


def test_gone_in_pieces_without_end_is_kept_within_the_limit_too(conn: WriteConnection) -> None:
    store_seqs(conn, [1, 10_000])
    gone = [{"status": "gone", "boot": "b", "from": seq, "to": seq} for seq in range(10, 1000, 2)]
    answers = [delivery(json.dumps(one).encode(), channel="command/c1/result") for one in gone]
    store_batch(conn, answers, LIMITS, consumer="test", at=NOW)
    assert conn.execute("select (select count(*) from unnest(given_up)) from sequence").fetchone() == (50,)


def test_gaps_are_counted_for_the_heartbeat(conn: WriteConnection, watch: Watch) -> None:
    conn.execute(
        "insert into ingest_consumer (consumer, epoch, connected, in_flight, lag_s, beat_at)"
        " values ('millpond-ingest', 1, true, 0, 0, now())"
    )
    store_seqs(conn, [1, 3, 5])
    store_seqs(conn, [2], serial=B)
    watch.look()
    rows = conn.execute("select gaps, devices_with_gaps, overflowing_boots from ingest_consumer").fetchall()
    assert rows == [(3, 2, 0)]
