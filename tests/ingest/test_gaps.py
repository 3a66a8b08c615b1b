"""What is missing is asked for, patiently and in turn, and given up only when it is known that nobody can read it."""

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from devices.registry import register_device
from devices.wire import SEQ_MAX, Ack, ResendCommand
from ingest.delivery import Delivery, Lane
from ingest.gaps import GapWatch
from ingest.nouns import Limits
from ingest.sequence_store import Complete, Gap
from ingest.write import StoredBatch, store_batch
from millpond.kernel.db import WriteConnection
from millpond.kernel.settings import load_settings

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
LIMITS = Limits(4_096, timedelta(days=365), timedelta(minutes=5), 50)
A, B = "AIR-A", "AIR-B"
UNREADABLE = b'{"boot":"b","seq":2,"met'[:18]


@pytest.fixture(autouse=True)
def _devices(conn: WriteConnection) -> None:
    for serial in (A, B):
        register_device(conn, serial=serial, model="reed-air-2", installed_at=NOW - timedelta(days=9), at=NOW)


@dataclass
class Watch:
    """A watch over gaps, and what it said to the devices."""

    conn: WriteConnection
    watch: GapWatch = field(default_factory=lambda: GapWatch(load_settings()))
    acks: list[Complete] = field(default_factory=list)
    commands: list[tuple[str, ResendCommand]] = field(default_factory=list)

    def look(self, after: timedelta = timedelta(seconds=4)) -> list[Gap]:
        """What it asks for when so much time has passed."""
        self.conn.execute("update watched_gap set ask_at = ask_at - %s, asked_at = asked_at - %s", [after, after])
        return sorted(self.watch.look(self.conn, self._publish), key=lambda gap: (gap.serial, gap.boot, gap.from_seq))

    def _publish(self, topic: str, payload: bytes) -> None:
        _, _, serial, channel = topic.split("/")
        if channel == "ack":
            ack = Ack.model_validate_json(payload)
            self.acks.append(Complete(serial, ack.boot, ack.seq))
        else:
            self.commands.append((serial, ResendCommand.model_validate_json(payload)))


@pytest.fixture
def watch(conn: WriteConnection) -> Watch:
    return Watch(conn)


def delivery(payload: bytes, serial: str = A, channel: str = "telemetry") -> Delivery:
    return Delivery(f"millpond/v1/{serial}/{channel}", payload, NOW, Lane.LIVE, 1, 1, 1)


def sample(seq: int, boot: str = "b") -> bytes:
    ts = int(NOW.timestamp() * 1000) - 1_000_000 + seq % 1_000_000
    return json.dumps({"boot": boot, "seq": seq, "ts": ts, "metrics": {"filter_life_pct": 64}}).encode()


def store(conn: WriteConnection, *payloads: bytes, serial: str = A) -> StoredBatch:
    return store_batch(conn, [delivery(p, serial) for p in payloads], LIMITS, consumer="test", at=NOW)


def store_seqs(conn: WriteConnection, seqs: Iterable[int], serial: str = A, boot: str = "b") -> StoredBatch:
    return store(conn, *(sample(seq, boot) for seq in seqs), serial=serial)


def complete(conn: WriteConnection, boot: str = "b") -> int:
    [(ranges,)] = conn.execute("select received + given_up from sequence where boot = %s", [boot]).fetchall()
    return int(ranges[0].upper) - 1 if ranges[0].lower <= 1 else 0


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


TEXT = st.sampled_from([b"nan", b"\xff", b"\xed\xa0\xbd", b"\x00", b'"', b"{", b"}", b"]", b"[", b",", b":"])


@st.composite
def payloads(draw: st.DrawFn) -> list[bytes]:
    """What a device has in its outbox: a message a sample, some of them broken for good."""
    return [draw(_breaks(sample(seq), seq)) for seq in range(1, draw(st.integers(2, 6)) + 1)]


def _breaks(whole: bytes, seq: int) -> st.SearchStrategy[bytes]:
    odd: list[Any] = [float(seq), str(seq), -1, None, [seq], {"seq": seq}, 10**400, f"{seq}x", True]
    numbered = st.sampled_from(odd).map(lambda raw: json.dumps({**json.loads(whole), "seq": raw}).encode())
    places = st.integers(0, len(whole))
    return st.one_of(
        st.just(whole),
        places.map(lambda at: whole[:at]),
        st.tuples(places, TEXT)
        .map(lambda broken: whole[: broken[0]] + broken[1] + whole[broken[0] :])
        .filter(lambda broken: not _is_of_another_boot(broken)),
        numbered,
        st.binary(max_size=40),
        st.just(whole + b" " * 5_000),
        st.sampled_from(
            [b"{}", b"[]", b"null", b'{"boot":"b"}', b'{"boot":"b","samples":[]}', b'{"boot":7,"samples":[7]}']
        ),
    )


def _is_of_another_boot(payload: bytes) -> bool:
    """Whether it can be read and says so: then nothing ties it to what is missing of this one."""
    try:
        content = json.loads(payload)
    except ValueError:
        return False
    return isinstance(content, dict) and content.get("boot", "b") != "b"


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
