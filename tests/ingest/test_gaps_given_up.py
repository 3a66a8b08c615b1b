"""What is missing is given up only when it is known that nobody can read it."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.nouns import Complete, Gap
from millpond.kernel.db import WriteConnection
from tests.ingest.watched import NOW, UNREADABLE, A, B, Watch, complete, register_two, sample, store, store_seqs


@pytest.fixture(autouse=True)
def _devices(conn: WriteConnection) -> None:
    register_two(conn)


@pytest.fixture
def watch(conn: WriteConnection) -> Watch:
    return Watch(conn)


def test_a_gap_that_is_answered_by_what_nobody_can_read_is_given_up_at_last(
    conn: WriteConnection, watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    store(conn, sample(1), UNREADABLE, sample(3))
    for _ in range(5):
        assert watch.look(timedelta(days=1)) == [Gap(A, "b", 2, 2)]
        assert (complete(conn), watch.acks) == (1, [])
        store(conn, UNREADABLE, UNREADABLE)
    with caplog.at_level(logging.WARNING):
        assert watch.look(timedelta(0)) == []
    assert (complete(conn), watch.acks) == (3, [Complete(A, "b", 3)])
    assert "numbers are given up" in caplog.text
    assert watch.watch.given_up == 1
    assert conn.execute("select payload from quarantined_message").fetchall() == [(UNREADABLE,)]
    assert conn.execute("select count(*) from watched_gap").fetchone() == (0,)


def test_only_an_answer_after_each_of_the_asks_counts(conn: WriteConnection, watch: Watch) -> None:
    store_seqs(conn, [1, 3])
    store(conn, *[UNREADABLE] * 9)
    watch.look(timedelta(days=1))
    store(conn, *[UNREADABLE] * 9)
    for _ in range(9):
        watch.look(timedelta(days=1))
    assert conn.execute("select asks, answered from watched_gap").fetchall() == [(10, 1)]


READABLE = [
    sample(3),
    b'{"boot":"b","seq":4,"metrics":{"filter_life_pct":nan}}',
    b'{"boot":"b","seq":4,"metrics":{"nothing":1}}',
    b'{"boot":"b","seq":4,"ts":"yesterday","metrics":{"filter_life_pct":1}}',
    b'{"metrics":{"filter_life_pct":1}}',
]


@pytest.mark.parametrize("payload", READABLE)
def test_a_message_whose_numbers_can_be_read_is_no_such_answer(
    conn: WriteConnection, watch: Watch, payload: bytes
) -> None:
    store_seqs(conn, [1, 3])
    for _ in range(9):
        watch.look(timedelta(days=1))
        store(conn, payload)
    assert conn.execute("select answered from watched_gap").fetchall() == [(0,)]


UNNUMBERED: list[dict[str, Any]] = [
    {"boot": "b", "metrics": {"filter_life_pct": 64}},
    {"boot": "b", "seq": None, "metrics": {"filter_life_pct": 64}},
    {"boot": "b", "samples": [{"seq": 1, "metrics": {"filter_life_pct": 64}}, {"metrics": {"filter_life_pct": 63}}]},
]


@pytest.mark.parametrize("message", UNNUMBERED)
def test_a_message_that_is_read_and_never_had_a_number_is_no_such_answer(
    conn: WriteConnection, watch: Watch, message: dict[str, Any]
) -> None:
    """Nothing of it is in quarantine, and the device has the missing sample still."""
    store_seqs(conn, [1, 3])
    for _ in range(6):
        watch.look(timedelta(days=1))
        store(conn, json.dumps(message).encode())
    assert (complete(conn), watch.acks) == (1, [])


def test_what_cannot_be_read_of_another_boot_is_no_such_answer(conn: WriteConnection, watch: Watch) -> None:
    store_seqs(conn, [1, 3])
    for _ in range(6):
        watch.look(timedelta(days=1))
        store(conn, UNREADABLE.replace(b'"b"', b'"c"'))
    assert (complete(conn), watch.acks) == (1, [])


def test_what_another_device_sends_is_no_answer(conn: WriteConnection, watch: Watch) -> None:
    store_seqs(conn, [1, 3])
    watch.look()
    store(conn, UNREADABLE, serial=B)
    assert conn.execute("select answered from watched_gap").fetchall() == [(0,)]


def test_of_what_is_too_large_a_head_is_kept_and_it_is_an_answer(conn: WriteConnection, watch: Watch) -> None:
    store_seqs(conn, [1, 3])
    for _ in range(5):
        watch.look(timedelta(days=1))
        store(conn, sample(2) + b" " * 5_000)
    watch.look()
    assert watch.acks == [Complete(A, "b", 3)]


TEXT = st.sampled_from([b"nan", b"\xff", b"\xed\xa0\xbd", b"\x00", b'"', b"{", b"}", b"]", b"[", b",", b":"])


@st.composite
def payloads(draw: st.DrawFn) -> list[bytes]:
    """What a device has in its outbox: a message a sample, some of them broken for good."""
    return [draw(_breaks(sample(seq), seq)) for seq in range(1, draw(st.integers(2, 6)) + 1)]


def _breaks(whole: bytes, seq: int) -> st.SearchStrategy[bytes]:
    odd: list[Any] = [float(seq), str(seq), -1, [seq], {"seq": seq}, 10**400, f"{seq}x", True]
    numbered = st.sampled_from(odd).map(lambda raw: json.dumps({**json.loads(whole), "seq": raw}).encode())
    places = st.integers(0, len(whole))
    return st.one_of(
        st.just(whole),
        places.map(lambda at: whole[:at]),
        st.tuples(places, TEXT)
        .map(lambda broken: whole[: broken[0]] + broken[1] + whole[broken[0] :])
        .filter(lambda broken: not _is_none_of_the_numbered(broken)),
        numbered,
        st.binary(max_size=40),
        st.just(whole + b" " * 5_000),
        st.sampled_from(
            [b"{}", b"[]", b"null", b'{"boot":"b"}', b'{"boot":"b","samples":[]}', b'{"boot":7,"samples":[7]}']
        ),
    )


def _is_none_of_the_numbered(payload: bytes) -> bool:
    """Whether it can be read and says that it is of another boot, or has no number: it is nothing that is missing."""
    try:
        content = json.loads(payload)
    except ValueError:
        return False
    if not isinstance(content, dict):
        return False
    return content.get("boot", "b") != "b" or ("metrics" in content and content.get("seq") is None)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(payloads())
@example([sample(1), b""])
def test_no_payload_stops_a_boot_for_good(conn: WriteConnection, outbox: list[bytes]) -> None:
    """The device sends again what is not acknowledged, as it is; in the end it may forget all of it."""
    last = len(outbox) + 1
    outbox = [*outbox, sample(last)]
    with conn.transaction(force_rollback=True):
        watch = Watch(conn)
        for acknowledged in _rounds(conn, watch, outbox):
            _assert_safe(conn, outbox[:acknowledged])
            if acknowledged == last:
                return
        pytest.fail(f"acknowledged {acknowledged} of {last}")


def _rounds(conn: WriteConnection, watch: Watch, outbox: list[bytes]) -> Iterator[int]:
    acknowledged = 0
    for _ in range(8):
        batch = store(conn, *outbox[acknowledged:])
        watch.look(timedelta(days=1))
        said = [one.seq for one in (*batch.complete, *watch.acks) if one.boot == "b"]
        acknowledged = max([acknowledged, *said])
        yield acknowledged


def _assert_safe(conn: WriteConnection, forgotten: list[bytes]) -> None:
    """What the device may forget is among the readings or in quarantine, with the beginning of its bytes if any."""
    times = {row[0] for row in conn.execute("select measured_at from reading")}
    # A key that is another one by its junk leaves the sample without a time, and then it has one of ours.
    timeless = {int(row[0]) for row in conn.execute("select seq from effective_time where boot = 'b'")}
    kept = [row[0] for row in conn.execute("select payload from quarantined_message")]
    for seq, payload in enumerate(forgotten, start=1):
        whole = datetime.fromtimestamp((int(NOW.timestamp() * 1000) - 1_000_000 + seq) / 1000, UTC)
        assert whole in times or seq in timeless or any(payload[:4_096] == one[:4_096] for one in [*kept, b""])
