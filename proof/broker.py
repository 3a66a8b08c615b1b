"""A mosquitto of the proof's own, which a fault may kill."""

import os
import queue
import subprocess
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from millpond.embedded import find_mosquitto, free_port, listens, stop
from millpond.kernel.broker import parse_broker_url
from millpond.kernel.errors import ConfigurationError, Unavailable
from proof.wait import Patience

_CONF = """\
listener {port} 127.0.0.1
allow_anonymous true
password_file {folder}/passwords
max_inflight_messages 2000
max_queued_messages {queued}
message_size_limit 4194304
persistence {persistence}
persistence_location {folder}/
autosave_interval 1
sys_interval 1
"""


def _write_password(path: Path, login: str) -> None:
    path.write_text(login + "\n")
    path.chmod(0o600)
    subprocess.run(["mosquitto_passwd", "-U", str(path)], check=True)


class Broker:
    """One broker on one port. Without persistence it forgets its sessions and queues when it is killed."""

    def __init__(self, folder: Path, *, persistence: bool = True, max_queued: int = 0) -> None:
        self._folder, self._program = folder, find_mosquitto()
        if self._program is None:
            raise ConfigurationError("the proof needs mosquitto: apt-get install mosquitto")
        self._server: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        # Devices need no password here, but ingest has one: its client ids are derived from it.
        self.ingest_login = "millpond:only-ingest-knows-it"
        folder.mkdir(parents=True)
        _write_password(folder / "passwords", self.ingest_login)
        text = _CONF.format(port=self.port, queued=max_queued, persistence=str(persistence).lower(), folder=folder)
        user = "user root\n" if os.geteuid() == 0 else ""
        (folder / "mosquitto.conf").write_text(user + text)

    def start(self) -> None:
        """Start, and return when it listens."""
        command = [str(self._program), "-c", str(self._folder / "mosquitto.conf")]
        with (self._folder / "broker.log").open("ab") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        Patience(15, "the broker to listen").until(self._listens)

    def kill(self) -> None:
        """SIGKILL: nothing is saved."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()

    def stop(self) -> None:
        """End it politely."""
        if self._server is not None and self._server.poll() is None:
            stop(self._server)

    def dropped(self) -> int:
        """How many messages the broker says it has dropped, asked of its own counters."""
        answer: queue.Queue[bytes] = queue.Queue()
        address = parse_broker_url(self.url)
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.on_message = lambda _client, _user, message: answer.put(bytes(message.payload))
        client.connect(address.host, address.port)
        client.loop_start()
        client.subscribe("$SYS/broker/publish/messages/dropped")
        try:
            return int(answer.get(timeout=10))
        finally:
            client.disconnect()
            client.loop_stop()

    def _listens(self) -> bool:
        if self._server is not None and self._server.poll() is not None:
            raise Unavailable(f"the broker ended at once: {(self._folder / 'broker.log').read_text()[-300:]}")
        return self._server is not None and listens(self._server, self.port)
