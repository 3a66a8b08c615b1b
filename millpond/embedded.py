"""Servers from wheels and from the path, for the demo and the tests: a PostgreSQL and a broker without Docker."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from millpond.embedded_postgres import embedded_postgres
from millpond.kernel.clock import monotonic
from millpond.kernel.errors import ConfigurationError, Unavailable

__all__ = ["embedded_broker", "embedded_postgres", "find_mosquitto", "free_port", "hold_port", "listens", "stop"]

_MOSQUITTO_CONF = """\
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
# A batch can never be larger than the broker's window, and its default of 20 is far too small for us.
max_inflight_messages 2000
# Overflow is silent, so there is none: devices keep their outbox until our acknowledgement anyway.
max_queued_messages 0
message_size_limit 4194304
persistence true
persistence_location {folder}/
autosave_interval 30
"""

_AMQTT_CONF = """\
listeners:
  default:
    type: tcp
    bind: 127.0.0.1:{port}
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
"""


@contextmanager
def embedded_broker(folder: Path, port: int | None = None) -> Iterator[str]:
    """An MQTT broker on a free local port, `mosquitto` when it is there, else `amqtt`; yields its URL."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    command = _broker_command(folder, port)
    with (folder / "broker.log").open("ab") as log:
        # A session of its own: Ctrl-C reaches us first, and we end the broker last.
        broker = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait_for_port(port, broker, folder / "broker.log")
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        stop(broker)


def free_port() -> int:
    """A TCP port on the loopback interface that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def hold_port(port: int) -> socket.socket:
    """Keep `port` while its server is away: clients are refused, and nobody else can take it until it is closed."""
    holder = socket.socket()
    # Needed to bind beside connections that are still winding down; without it afterwards nobody listens beside us.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", port))
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    return holder


def listens(process: "subprocess.Popen[bytes]", port: int) -> bool:
    """Whether this very process listens on `port`: that somebody answers there does not say who."""
    try:
        sockets = psutil.Process(process.pid).net_connections("tcp")
    except psutil.Error:  # It ended at this moment.
        return False
    return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in sockets)


def find_mosquitto() -> str | None:
    """Path of `mosquitto`, also where Debian puts it outside a user's path."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a process politely, and after five seconds for good."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _broker_command(folder: Path, port: int) -> list[str]:
    mosquitto = find_mosquitto()
    if mosquitto:
        conf = folder / "mosquitto.conf"
        user = "user root\n" if os.geteuid() == 0 else ""
        conf.write_text(user + _MOSQUITTO_CONF.format(port=port, folder=folder.resolve()))
        return [mosquitto, "-c", str(conf)]
    conf = folder / "amqtt.yaml"
    conf.write_text(_AMQTT_CONF.format(port=port))
    amqtt = Path(sys.executable).with_name("amqtt")
    if not amqtt.exists():
        raise ConfigurationError(
            "no MQTT broker was found: install mosquitto (apt-get install mosquitto),"
            " or pip install amqtt, or set MILLPOND_BROKER_URL"
        )
    return [str(amqtt), "-c", str(conf)]


def _wait_for_port(port: int, broker: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = monotonic() + 15
    while monotonic() < deadline:
        if broker.poll() is not None:
            said = " ".join(log.read_text(errors="replace").split())[-300:]
            raise Unavailable(f"the broker ended at once and does not listen on port {port}: {said}")
        if listens(broker, port):
            return
        try:
            broker.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    raise Unavailable(f"the broker did not listen on port {port} within 15 s; see {log}")
