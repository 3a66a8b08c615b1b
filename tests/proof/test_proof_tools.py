"""The proof's own instruments: an oracle that sees every kind of wrong, a proxy that does what it says."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from millpond.embedded.postgres import Postgres
from millpond.kernel.clock import monotonic
from millpond.kernel.db import connect
from millpond.kernel.errors import Unavailable
from proof.capacity import rate_for
from proof.cli import FAULTS, WAITING, share_out
from proof.device import Device
from proof.faults.upgrade import migrate_later
from proof.journal import Journal, Kind, Sample, measure, read_journal
from proof.oracle import Account, Row, compare, compare_poison
from proof.proxy import Link, Proxy
from proof.world import World

SAMPLES = [measure(0, seq, 1_000 * seq, 1_000 * seq, 7, "D-1") for seq in (1, 2, 3)]


def rows_of(*samples: Sample) -> list[Row]:
    return [
        Row(s.serial, metric, value, s.ts_ms * 1000, corrected=False, conflict=False)
        for s in samples
        for metric, value in (("filter_used_h", s.used_h), ("pm25_ugm3", s.pm25))
    ]


def test_all_is_well_when_every_value_is_there_once() -> None:
    assert compare(SAMPLES, rows_of(*SAMPLES)) == Account(sent=6, stored=6)


def test_a_sample_that_is_not_there_is_lost_value_by_value() -> None:
    assert compare(SAMPLES, rows_of(*SAMPLES[:2])).lost == 2
    assert compare(SAMPLES, rows_of(*SAMPLES)[:-1]).lost == 1


def test_a_sample_that_is_there_at_two_times_is_duplicated() -> None:
    again = replace(SAMPLES[0], ts_ms=99_000)
    assert compare(SAMPLES, rows_of(*SAMPLES, again)).faults == {"duplicated": 2, "corrupt": 1}


def test_a_value_nobody_sent_is_a_phantom() -> None:
    stranger = measure(0, 77, 77_000, 77_000, 7, "D-1")
    assert compare(SAMPLES, rows_of(*SAMPLES, stranger)).faults == {"phantom": 2}


def test_a_value_that_changed_is_corrupt_and_the_one_that_was_sent_is_lost() -> None:
    rows = rows_of(*SAMPLES)
    rows[1] = replace(rows[1], value=rows[1].value + 1)
    assert compare(SAMPLES, rows).faults == {"lost": 1, "corrupt": 1}


def test_a_corrected_time_is_right_only_when_the_sample_can_have_been_received_then() -> None:
    late = [replace(row, at_us=row.at_us + 2_000_000, corrected=True) for row in rows_of(SAMPLES[0])]
    assert compare(SAMPLES[:1], late).faults == {"corrupt": 1}
    assert compare(SAMPLES[:1], late, server_offsets_ms=(0,)).faults == {}
    assert compare(SAMPLES[:1], late, server_offsets_ms=(3_600_000,)).faults == {"corrupt": 1}


def rows_without_a_time(*samples: Sample) -> list[Row]:
    """What is stored of devices without a good clock: at the time of receipt, a millisecond after."""
    return [replace(row, at_us=row.at_us + 1_000, corrected=True) for row in rows_of(*samples)]


def test_a_sample_without_a_time_stands_at_its_receipt_and_is_never_kept_aside() -> None:
    samples = [measure(9, seq, 1_000 * seq, 1_000 * seq, 7, "D-9") for seq in (1, 2)]
    assert samples[0].kind is Kind.CLOCKLESS
    assert compare(samples, rows_without_a_time(*samples)) == Account(sent=4, stored=4)
    aside = [replace(row, corrected=False, conflict=True) for row in rows_without_a_time(samples[1])]
    assert compare(samples, rows_without_a_time(samples[0]) + aside).faults == {"corrupt": 1}
    assert compare(samples, rows_without_a_time(samples[0])).faults == {"lost": 2}


def test_equal_samples_are_counted() -> None:
    samples = [measure(39, seq, 1_000 * seq, 1_000 * seq, 7, "D-39") for seq in (1, 2, 3)]
    assert (samples[0].kind, samples[0].values) == (Kind.SAME, samples[2].values)
    assert compare(samples, rows_without_a_time(*samples)) == Account(sent=6, stored=6)
    assert compare(samples, rows_without_a_time(*samples[:2])).faults == {"lost": 2}
    assert compare(samples, rows_without_a_time(*samples, samples[0])).faults == {"duplicated": 2}
    changed = [replace(row, value=row.value + 1) for row in rows_without_a_time(samples[0])]
    assert compare(samples, changed + rows_without_a_time(*samples[1:])).faults == {"corrupt": 2}


def test_what_an_uptime_dates_is_right_only_as_late_as_a_message_can_be() -> None:
    samples = [measure(4, 1, 1_000, 1_000, 7, "D-4")]
    assert samples[0].kind is Kind.UPTIME
    for late_ms, faults in ((0, {}), (119_000, {}), (121_000, {"corrupt": 1}), (-1, {"corrupt": 1})):
        rows = [replace(row, at_us=row.at_us + late_ms * 1_000, corrected=True) for row in rows_of(*samples)]
        assert compare(samples, rows, server_offsets_ms=(0,)).faults == faults


def test_a_device_that_knows_its_uptime_says_it_with_each_sample_and_when_it_sends(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        device = Device(4, "D", 7, journal, window=100)
        device.live_alone(1_771_234_567_890)
        stored = device.next_message(0.0, 1_771_234_567_890)
        device.next_message(0.0, 1_771_234_567_890)
        device.measure(1_771_234_568_390, 1_771_234_568_390)
        live = device.next_message(0.0, 1_771_234_568_390)
    assert stored is not None
    assert live is not None
    assert (stored[0], live[0]) == ("millpond/v1/D/backfill", "millpond/v1/D/telemetry")
    assert stored[1].startswith(b'{"boot":"b","uptime_s":25200.000,"samples":[{"seq":1,"ts":')
    assert b'{"seq":2,"uptime_s":60.0,"metrics"' in stored[1]
    assert live[1].startswith(b'{"boot":"b","seq":61,"ts":1771234568,"uptime_s":25200.5,')


@pytest.mark.parametrize(
    ("number", "kind", "in_one", "begins"),
    [
        (0, Kind.ORDINARY, 1, b'{"boot":"b","seq":1,"ts":1771234567890,'),
        (9, Kind.CLOCKLESS, 1, b'{"boot":"b","seq":1,"metrics"'),
        (29, Kind.SECONDS, 1, b'{"boot":"b","seq":1,"ts":1771234567,'),
        (39, Kind.SAME, 200, b'{"boot":"b","samples":[{"seq":1,"metrics"'),
        (49, Kind.BULK, 500, b'{"boot":"b","samples":[{"seq":1,"metrics"'),
    ],
)
def test_each_kind_of_device_sends_what_its_name_says(
    number: int, kind: Kind, in_one: int, begins: bytes, tmp_path: Path
) -> None:
    with Journal(tmp_path / "journal") as journal:
        device = Device(number, "D", 7, journal, window=10)
        for _ in range(device.burst):
            device.measure(1_771_234_567_890, 1_771_234_567_890)
        message = device.next_message(0.0, 0)
        assert device.kind is kind
        assert message is not None
        assert message[1].startswith(begins)
        assert message[1].count(b'"seq"') == in_one


def test_poison_owes_one_entry_each() -> None:
    assert compare_poison(["a", "b"], {"a": 1, "b": 1}) == Account(sent=2, quarantined=2)
    assert compare_poison(["a", "b"], {"a": 2, "c": 1}).faults == {"lost": 1, "phantom": 1, "duplicated": 1}


def test_a_device_forgets_only_what_it_was_told_is_safe_and_its_journal_never_forgets(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        device = Device(0, "D-1", 7, journal, window=10)
        for seq in (1, 2, 3):
            device.measure(1_000 * seq, 1_000 * seq)
        sent = [device.next_message(0.0, 0) for _ in range(3)]
        assert all(sent)
        assert device.next_message(0.0, 0) is None
        device.on_ack(b'{"boot":"b","seq":2}', 1.0)
        assert (len(device.outbox), device.acked) == (1, 2)
        device.on_silence(100.0)
        assert device.next_message(100.0, 0) == sent[2]
    assert read_journal(tmp_path / "journal") == (SAMPLES, [])


@pytest.fixture
def echo_port() -> Iterator[int]:
    """A server that says everything back, one client after the other."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_echo, args=(client,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def _echo(client: socket.socket) -> None:
    with client:
        try:
            while said := client.recv(65_536):
                client.sendall(said)
        except OSError:
            return


@pytest.fixture
def proxy(echo_port: int) -> Iterator[Proxy]:
    made = Proxy(echo_port)
    yield made
    made.close()


def dial(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=10)


def test_a_clear_link_carries_everything(proxy: Proxy) -> None:
    with dial(proxy) as client:
        client.sendall(b"x" * 100_000)
        heard = b""
        while len(heard) < 100_000:
            heard += client.recv(65_536)
    assert heard == b"x" * 100_000


def test_a_black_hole_says_nothing_and_loses_nothing(proxy: Proxy) -> None:
    with dial(proxy) as client:
        client.sendall(b"before")
        assert client.recv(100) == b"before"
        proxy.set(Link.BLACK_HOLE)
        client.sendall(b"meanwhile")
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.recv(100)
        proxy.set(Link.CLEAR)
        client.settimeout(10)
        assert client.recv(100) == b"meanwhile"


def test_a_reset_ends_connections_and_refuses_new_ones(proxy: Proxy) -> None:
    with dial(proxy) as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        proxy.set(Link.REFUSE)
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert not _answers(proxy)


def _answers(proxy: Proxy) -> bool:
    try:
        with dial(proxy) as client:
            return bool(client.recv(1))
    except ConnectionError:
        return False


def test_a_slow_link_delays_what_a_client_says_and_a_crawling_one_carries_a_kilobyte_a_second(proxy: Proxy) -> None:
    with dial(proxy) as client:
        proxy.set(Link.SLOW)
        began = monotonic()
        client.sendall(b"x")
        client.recv(1)
        assert monotonic() - began >= 0.19
        proxy.set(Link.TRICKLE)
        began = monotonic()
        client.sendall(b"x" * 600)
        heard = 0
        while heard < 600:
            heard += len(client.recv(600))
        assert monotonic() - began >= 0.4


def test_what_only_waits_runs_beside_what_works_and_every_fault_runs_once() -> None:
    beside, others = share_out(list(FAULTS))
    assert (sorted(beside), sorted([*beside, *others])) == (sorted(WAITING), sorted(FAULTS))
    assert share_out(["schedulers"]) == ([], ["schedulers"])
    assert rate_for(4_000, lanes=2) == rate_for(2_000) == 800


def test_an_interrupted_run_ends_in_the_middle_of_a_long_wait(tmp_path: Path) -> None:
    made = World(tmp_path, Postgres(tmp_path / "pg"))
    made.pause(-1)
    made.interrupted.set()
    with pytest.raises(Unavailable, match="interrupted"):
        made.pause(3_600)


def test_a_later_version_is_one_of_this_very_server(database: str) -> None:
    for number in (0, 1):
        migrate_later(database, number)
    with connect(database) as conn:
        names = [row[0] for row in conn.execute("select name from schema_version where name like '9%' order by name")]
        assert names == ["9000_proof.sql", "9001_proof.sql"]
        late = (
            "select count(*) from pg_constraint where conrelid = 'reading'::regclass and conname ~ '^proof_._received'"
        )
        assert conn.execute(late).fetchone() == (2,)
