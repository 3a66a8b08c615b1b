"""The embedded servers: both brokers, what stays after them, and what is said when there is none."""

import json
from pathlib import Path

import psutil
import pytest

from millpond import embedded
from millpond.embedded import embedded_broker, embedded_postgres
from millpond.kernel.db import connect
from millpond.kernel.errors import ConfigurationError
from millpond.kernel.settings import load_settings
from tests.ingest.conftest import TestDevice, running_ingest


def test_the_loop_also_runs_on_the_broker_from_a_wheel(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "find_mosquitto", lambda: None)
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


def test_without_any_broker_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "find_mosquitto", lambda: None)
    monkeypatch.setattr(embedded.sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ConfigurationError, match="install mosquitto"), embedded_broker(tmp_path):
        pytest.fail("there is no broker")


def runs(pid: int) -> bool:
    """Whether a process is there and not only waiting for a parent in a container to take notice of its end."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
