"""`millpond doctor` at brokers that are set otherwise than Millpond needs them."""

from pathlib import Path

import pytest

from millpond.embedded.broker import MOSQUITTO, embedded_broker, find_mosquitto
from millpond.kernel.settings import load_settings
from tests.cli.conftest import Run

MOSQUITTO_CONF = Path(__file__).parents[2] / "docker" / "mosquitto.conf"

# As it comes from Debian.
PLAIN: dict[str, object] = {**dict.fromkeys(MOSQUITTO), "allow_anonymous": "true"}


def broker(folder: Path, millpond: Run, **conf: object) -> tuple[int, list[str]]:
    """What the doctor says of a mosquitto with these settings and no others."""
    if find_mosquitto() is None:
        pytest.skip("no mosquitto: apt-get install mosquitto")
    with embedded_broker(folder, conf=PLAIN | conf) as url:
        done = millpond("doctor", "--only", "broker", MILLPOND_BROKER_URL=url)
    return done.returncode, done.stdout.splitlines()


def test_a_broker_with_its_window_as_it_came(tmp_path: Path, millpond: Run) -> None:
    code, (window, session, payloads, login) = broker(tmp_path, millpond)
    assert code == 0
    assert window.startswith("! broker")
    assert "sends 20 messages before it waits" in window
    assert "max_inflight_messages 2000" in window
    assert session.startswith("✓ broker")
    assert login.startswith("! login")
    assert "can be guessed" in login
    assert payloads.startswith("! payloads")
    assert "set `message_size_limit 262144`" in payloads


def test_a_broker_that_drops_what_waits(tmp_path: Path, millpond: Run) -> None:
    settings = {"max_inflight_messages": 100, "max_queued_messages": 20}
    code, (window, session, payloads, login) = broker(tmp_path, millpond, **settings)
    assert code == 0
    assert window.startswith("✓ broker")
    assert session.startswith("! broker")
    assert payloads.startswith("! payloads")
    assert login.startswith("! login")
    assert "max_queued_messages 0" in session


def test_a_broker_that_hands_on_no_more_than_ingest_reads(tmp_path: Path, millpond: Run) -> None:
    [shipped] = [line for line in MOSQUITTO_CONF.read_text().splitlines() if line.startswith("message_size_limit")]
    assert shipped == f"message_size_limit {load_settings().payload_max_bytes}"
    code, (_, _, payloads, _) = broker(tmp_path, millpond, message_size_limit=shipped.split()[1])
    assert code == 0
    assert payloads.startswith("✓ payloads")


def test_a_broker_that_lets_us_write_and_not_read(tmp_path: Path, millpond: Run) -> None:
    (tmp_path / "acl").write_text("topic write #\n")
    code, (line,) = broker(tmp_path, millpond, acl_file=tmp_path / "acl")
    assert code == 1
    assert line.startswith("✗ broker")
    assert "access rules" in line


def test_a_broker_that_refuses_us(tmp_path: Path, millpond: Run) -> None:
    code, (line,) = broker(tmp_path, millpond, allow_anonymous="false")
    assert code == 1
    assert "refused the connection: Not authorized" in line


def test_the_probe_leaves_nothing_at_the_broker(tmp_path: Path, millpond: Run) -> None:
    code, _ = broker(tmp_path, millpond, persistence="true", autosave_interval=1)
    assert code == 0
    stored = (tmp_path / "mosquitto.db").read_bytes()
    assert b"doctor-" not in stored
