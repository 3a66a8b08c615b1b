"""An MQTT broker from the path or from a wheel: `mosquitto` when it is there, else `amqtt`."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from millpond.embedded.ports import free_port, hold_port
from millpond.embedded.process import Process
from millpond.kernel.errors import ConfigurationError, Unavailable
from millpond.kernel.waiting import wait_until

_START_S = 15.0
# What mosquitto is told, unless a `Broker` says otherwise. docker/ has what a user deploys.
MOSQUITTO: dict[str, object] = {
    "allow_anonymous": "true",
    "set_tcp_nodelay": "true",
    # A batch can never be larger than the broker's window, and its default of 20 is far too small for us.
    "max_inflight_messages": 2000,
    # Overflow is silent, so there is none: devices keep their outbox until our acknowledgement anyway.
    "max_queued_messages": 0,
    "message_size_limit": 4_194_304,
    "persistence": "true",
    "autosave_interval": 30,
}
_AMQTT = """\
listeners:
  default:
    type: tcp
    bind: 127.0.0.1:{port}
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
"""


class Broker:
    """A broker on one local port, which stays ours while it is stopped or killed, until the end of `with`.

    `conf` are settings of mosquitto beside, or instead of, those of MOSQUITTO; None leaves one out. Raises
    ConfigurationError when there is no broker, or none that knows such settings.
    """

    def __init__(self, folder: Path, port: int | None = None, conf: Mapping[str, object] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self._process = Process(_command(folder.resolve(), self.port, conf or {}), folder / "broker.log")
        self._held: socket.socket | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stop()
        self._release_port()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.alive

    def start(self) -> None:
        """Start it, and return when it listens; Unavailable with what it said when it does not."""
        self._release_port()
        self._process.start()
        try:
            wait_until(self._listens, f"the broker to listen on port {self.port}", timeout_s=_START_S)
        except BaseException:
            self._process.stop()
            raise

    def stop(self) -> None:
        """End it politely: it saves what it was told to save."""
        self._process.stop()
        self._hold_port()

    def kill(self) -> None:
        """SIGKILL: nothing is saved."""
        self._process.kill()
        self._hold_port()

    def _listens(self) -> bool:
        if not self._process.alive:
            said = self._process.last_words()
            raise Unavailable(f"the broker ended at once and does not listen on port {self.port}: {said}")
        return self._process.listens(self.port)

    def _hold_port(self) -> None:
        self._held = self._held or hold_port(self.port)

    def _release_port(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None


@contextmanager
def embedded_broker(folder: Path, port: int | None = None, conf: Mapping[str, object] | None = None) -> Iterator[str]:
    """A broker for as long as the context lasts; yields its URL."""
    with Broker(folder, port, conf) as broker:
        yield broker.url


def find_mosquitto() -> str | None:
    """Path of `mosquitto`, also where Debian puts it outside a user's path."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def find_dynamic_security() -> str | None:
    """Path of mosquitto's dynamic security plugin, where Debian, Alpine or a build puts it."""
    folders = [*Path("/usr/lib").glob("*-linux-*"), Path("/usr/lib"), Path("/usr/local/lib")]
    found = (folder / "mosquitto_dynamic_security.so" for folder in folders)
    return next((str(path) for path in found if path.exists()), None)


def dynamic_security(file: Path) -> dict[str, object]:
    """Settings of a broker whose users are those of this file, which it keeps; nobody comes in without a name.

    Raises ConfigurationError when the plugin is not installed.
    """
    plugin = find_dynamic_security()
    if plugin is None:
        raise ConfigurationError("mosquitto_dynamic_security.so was not found: apt-get install mosquitto")
    return {"allow_anonymous": "false", "plugin": plugin, "plugin_opt_config_file": file}


def write_passwords(file: Path, passwords: Mapping[str, str]) -> None:
    """A file for mosquitto's `password_file`, with the password of each user, hashed."""
    file.write_text("".join(f"{user}:{password}\n" for user, password in passwords.items()))
    file.chmod(0o600)
    subprocess.run(["mosquitto_passwd", "-U", str(file)], check=True)


def _command(folder: Path, port: int, conf: Mapping[str, object]) -> list[str]:
    if mosquitto := find_mosquitto():
        file = folder / "mosquitto.conf"
        file.write_text("".join(f"{line}\n" for line in _mosquitto_lines(folder, port, conf)))
        return [mosquitto, "-c", str(file)]
    if conf:
        raise ConfigurationError(f"the broker's {', '.join(conf)} needs mosquitto: apt-get install mosquitto")
    amqtt = Path(sys.executable).with_name("amqtt")
    if not amqtt.exists():
        raise ConfigurationError(
            "no MQTT broker was found: install mosquitto (apt-get install mosquitto),"
            " or pip install amqtt, or set MILLPOND_BROKER_URL"
        )
    file = folder / "amqtt.yaml"
    file.write_text(_AMQTT.format(port=port))
    return [str(amqtt), "-c", str(file)]


def _mosquitto_lines(folder: Path, port: int, conf: Mapping[str, object]) -> Iterator[str]:
    yield f"listener {port} 127.0.0.1"
    if os.geteuid() == 0:
        yield "user root"
    for name, value in {**MOSQUITTO, "persistence_location": f"{folder}/", **conf}.items():
        if value is not None:
            yield f"{name} {value}"
