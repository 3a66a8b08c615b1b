"""The publisher over TLS, with a client certificate and a password, at a mosquitto that asks for both."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from millpond.embedded.broker import Broker, find_mosquitto, write_passwords
from millpond.kernel.broker import TlsFiles, parse_broker_url
from millpond.kernel.clock import SystemClock
from millpond.kernel.errors import ConfigurationError, Unavailable
from simulators.scenarios.simulation import SimulateOptions, simulate
from simulators.wire.message import Message
from simulators.wire.publisher import Publisher
from tests.certificates import write_certificates
from tests.simulators.simulate_command import changed, run_cli

pytestmark = pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")


@pytest.fixture(scope="module")
def tls_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, TlsFiles]]:
    """`host:port` of a broker that wants a certificate of our authority and a password; the client's files."""
    folder = tmp_path_factory.mktemp("tls")
    write_certificates(folder)
    write_passwords(folder / "passwords", {"fleet": "p@ss"})
    conf = {
        "allow_anonymous": "false",
        "password_file": folder / "passwords",
        "require_certificate": "true",
        "cafile": folder / "ca.pem",
        "certfile": folder / "server.pem",
        "keyfile": folder / "server.key",
    }
    with Broker(folder, conf=conf) as broker:
        files = TlsFiles(folder / "ca.pem", folder / "client.pem", folder / "client.key")
        yield f"127.0.0.1:{broker.port}", files


def test_a_message_crosses_tls_with_certificate_and_password(tls_broker: tuple[str, TlsFiles]) -> None:
    where, files = tls_broker
    wake = threading.Event()
    publisher = Publisher(
        parse_broker_url(f"mqtts://fleet:p%40ss@{where}"), "tls-1", subscriptions=["echo"], tls=files, wake=wake
    )
    publisher.connect()
    publisher.publish(Message("echo", b"hello"))
    received: list[tuple[str, bytes]] = []
    while not received and wake.wait(10):
        wake.clear()
        received = publisher.received()
    publisher.close()
    assert received == [("echo", b"hello")]
    assert publisher.unconfirmed == 0


def test_a_wrong_password_is_refused_in_one_sentence(tls_broker: tuple[str, TlsFiles]) -> None:
    where, files = tls_broker
    before = threading.active_count()
    publisher = Publisher(parse_broker_url(f"mqtts://fleet:wrong@{where}"), "tls-2", subscriptions=["x"], tls=files)
    with pytest.raises(Unavailable, match="refused the connection: Not authorized") as caught:
        publisher.connect()
    assert "wrong" not in str(caught.value)
    assert threading.active_count() == before


def test_a_scenario_crosses_tls_with_certificate_and_password(
    tls_broker: tuple[str, TlsFiles], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, files = tls_broker
    scenario, report = tmp_path / "own.yaml", tmp_path / "report.json"
    scenario.write_text(changed(expect={"messages_at_least": 2}))
    certificates = ["--ca-file", files.ca_file, "--client-cert", files.client_cert, "--client-key", files.client_key]
    call = ["--scenario", scenario, "--broker", f"mqtts://fleet:p%40ss@{where}", "--patience", 0.2, "--report", report]
    assert run_cli(monkeypatch, *map(str, call + certificates)) == 0
    assert json.loads(report.read_text())["messages_published"] == 2


def test_a_compact_fleet_crosses_tls_with_certificate_and_password(tls_broker: tuple[str, TlsFiles]) -> None:
    where, files = tls_broker
    options = SimulateOptions(
        f"mqtts://fleet:p%40ss@{where}", devices=30, messages=300, compact=True, tls=files, ack_wait_s=0
    )
    summary = simulate(options, SystemClock())
    assert summary.messages_published == 300


@pytest.mark.parametrize(
    ("user", "client_certificate", "sentence"),
    [("fleet:wrong", True, "refused"), ("fleet:p%40ss", False, "(refused|did not answer|ended|cannot be reached)")],
)
def test_a_compact_fleet_that_is_not_let_in_is_told_so(
    user: str, client_certificate: bool, sentence: str, tls_broker: tuple[str, TlsFiles]
) -> None:
    where, files = tls_broker
    tls = files if client_certificate else TlsFiles(files.ca_file)
    options = SimulateOptions(f"mqtts://{user}@{where}", devices=3, messages=3, compact=True, tls=tls)
    with pytest.raises(Unavailable, match=sentence) as caught:
        simulate(options, SystemClock())
    assert user.split(":")[1] not in str(caught.value)


def test_a_broker_of_an_unknown_authority_is_not_trusted(tls_broker: tuple[str, TlsFiles]) -> None:
    publisher = Publisher(parse_broker_url(f"mqtts://{tls_broker[0]}"), "tls-3", subscriptions=["x"])
    with pytest.raises(Unavailable, match="certificate"):
        publisher.connect()


def test_a_certificate_file_that_is_not_there_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="the TLS files cannot be used"):
        Publisher(
            parse_broker_url("mqtts://127.0.0.1"), "tls-4", subscriptions=["x"], tls=TlsFiles(tmp_path / "none.pem")
        )
