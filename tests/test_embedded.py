"""The embedded servers: both brokers, what stays after them, and what is said when there is none."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from millpond.embedded import broker
from millpond.embedded.broker import MOSQUITTO, Broker, embedded_broker
from millpond.embedded.postgres import Postgres, embedded_postgres
from millpond.embedded.process import listens
from millpond.kernel.broker import parse_broker_url
from millpond.kernel.db import connect
from millpond.kernel.errors import ConfigurationError, Unavailable
from millpond.kernel.settings import load_settings
from millpond.testing_host import servers
from tests.ingest.conftest import TestDevice, running_ingest

DOCKER = Path(__file__).parents[1] / "docker"


def test_the_loop_also_runs_on_the_broker_from_a_wheel(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "find_mosquitto", lambda: None)
    with embedded_broker(tmp_path) as url:
        assert (tmp_path / "amqtt.yaml").exists()
        settings = load_settings(database_url=database, broker_url=url, consumer_id="on-amqtt")
        with running_ingest(settings):
            device = TestDevice(url, "NOBODY-KNOWS-ME")
            device.publish(json.dumps({"boot": "b", "seq": 1, "metrics": {"power": True}}))
            device.wait_for_ack(1)
            device.close()
    with connect(database) as conn:
        assert conn.execute("select code from quarantine").fetchall() == [("unknown_serial",)]


def test_a_broker_leaves_no_process(tmp_path: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    with embedded_broker(tmp_path):
        assert len(set(psutil.Process().children(recursive=True)) - before) >= 1
    assert set(psutil.Process().children(recursive=True)) <= before


def test_an_embedded_database_keeps_its_data_and_leaves_no_process(tmp_path: Path) -> None:
    tmp_path.parent.parent.chmod(0o755)
    folder = tmp_path / "pg"
    with embedded_postgres(folder) as dsn, connect(dsn) as conn:
        conn.execute("create table kept (n int)")
        pid = int((folder / "postmaster.pid").read_text().split()[0])
    assert not runs(pid)
    with embedded_postgres(folder) as dsn, connect(dsn) as conn:
        assert conn.execute("select count(*) from kept").fetchone() == (0,)


@pytest.mark.parametrize("name", ["with some spaces in it", "long/" * 40])
def test_an_embedded_database_lives_in_any_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name / "pg"
    with embedded_postgres(folder) as dsn, connect(dsn) as conn:
        conn.execute("create table kept (n int)")
        socket_folder = Path(conn.info.host)
        assert len(os.fsencode(socket_folder)) < 60
    assert not os.path.lexists(socket_folder), "the short way there is gone with the server"
    with embedded_postgres(folder) as dsn, connect(dsn) as conn:
        assert conn.execute("select count(*) from kept").fetchone() == (0,)


def test_programs_of_another_version_come_back_to_their_own_data(tmp_path: Path) -> None:
    # The wheel has two versions and starts the newer one.
    newer = Postgres(tmp_path / "pg").programs
    server = Postgres(tmp_path / "pg", programs=newer.parents[1] / "pginstall" / "bin")
    for _ in range(2):
        with server, connect(server.dsn) as conn:
            assert conn.info.server_version // 10_000 == 16
    with pytest.raises(Unavailable, match="holds data of PostgreSQL 16"), Postgres(tmp_path / "pg"):
        pytest.fail("it started")


def test_data_of_another_version_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("9\n")
    with pytest.raises(Unavailable, match="holds data of PostgreSQL 9") as caught, embedded_postgres(tmp_path):
        pytest.fail("it started")
    assert str(tmp_path) in str(caught.value)


def test_a_folder_that_postgresql_does_not_take_is_one_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "somebody's file").write_text("not ours")
    with pytest.raises(Unavailable, match="PostgreSQL does not start in") as caught, embedded_postgres(tmp_path):
        pytest.fail("it started")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_a_foreign_broker_on_our_port_is_not_taken_for_our_own(tmp_path: Path) -> None:
    with embedded_broker(tmp_path / "theirs") as url:
        port = parse_broker_url(url).port
        with pytest.raises(Unavailable, match=f"does not listen on port {port}.*in use"):
            with embedded_broker(tmp_path / "ours", port):
                pytest.fail("theirs was taken for ours")


def test_who_answers_on_a_port_is_asked_of_the_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        idle = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        try:
            assert not listens(idle, port)
        finally:
            idle.communicate()
        assert not listens(idle, port)


def test_a_broker_that_is_down_keeps_its_port(tmp_path: Path) -> None:
    with servers.HostedBroker(None, tmp_path / "of a test") as broker:
        port = parse_broker_url(broker.url).port
        with socket.create_connection(("127.0.0.1", port)):
            broker.stop()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        with pytest.raises(Unavailable, match="in use"), embedded_broker(tmp_path / "theirs", port):
            pytest.fail("somebody else has the port")
        broker.start()
        with socket.create_connection(("127.0.0.1", port)):
            assert broker.up


def test_without_any_broker_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "find_mosquitto", lambda: None)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ConfigurationError, match="install mosquitto"), embedded_broker(tmp_path):
        pytest.fail("there is no broker")


def test_a_server_that_a_killed_owner_left_behind_is_ended_and_its_data_is_kept(tmp_path: Path) -> None:
    left = Postgres(tmp_path / "pg")
    left.start()
    try:
        with connect(left.dsn) as conn:
            conn.execute("create table kept (n int)")
        with embedded_postgres(tmp_path / "pg") as dsn, connect(dsn) as conn:
            assert not left.alive
            assert conn.execute("select count(*) from kept").fetchone() == (0,)
    finally:
        left.stop()


def test_a_killed_broker_keeps_its_port_and_starts_again_there(tmp_path: Path) -> None:
    with Broker(tmp_path / "ours") as ours:
        ours.kill()
        assert not ours.alive
        with pytest.raises(Unavailable, match="in use"), embedded_broker(tmp_path / "theirs", ours.port):
            pytest.fail("somebody else has the port")
        ours.start()
        with socket.create_connection(("127.0.0.1", ours.port)):
            assert ours.alive


def test_settings_that_only_mosquitto_knows_are_not_left_out_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "find_mosquitto", lambda: None)
    with pytest.raises(ConfigurationError, match="persistence needs mosquitto"):
        Broker(tmp_path, conf={"persistence": "false"})


def test_the_shipped_configurations_agree_with_ours_on_what_ingest_needs() -> None:
    ours = {name: str(value) for name, value in MOSQUITTO.items()}
    shipped, of_tests = (read_mosquitto(DOCKER / name) for name in ("mosquitto.conf", "mosquitto-test.conf"))
    needed = ("max_inflight_messages", "max_queued_messages", "persistence", "autosave_interval")
    assert {name: shipped[name] for name in needed} == {name: ours[name] for name in needed}
    assert of_tests.pop("listener") == "1883"
    assert of_tests == {name: ours[name] for name in of_tests}


def read_mosquitto(file: Path) -> dict[str, str]:
    """The settings in a mosquitto.conf."""
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return {name: value for name, _, value in (line.partition(" ") for line in lines)}


def runs(pid: int) -> bool:
    """Whether a process is there and not only waiting for a parent in a container to take notice of its end."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
