"""The broker's side of the ingest benchmark: sessions that wait, messages in them, and a C subscriber."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterable
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from devices.wire import PREFIX
from millpond.kernel.broker import BrokerAddress, tls_context
from millpond.kernel.errors import ConfigurationError, Unavailable

_WINDOW = 1000
_TIMEOUT_S = 120


def find_mosquitto_sub() -> str:
    """Path of the C subscriber; raises ConfigurationError with how to install it."""
    program = shutil.which("mosquitto_sub")
    if program is None:
        raise ConfigurationError(
            "the reference needs mosquitto_sub, which is not installed: apt-get install mosquitto-clients"
        )
    return program


class CSubscriber:
    """`mosquitto_sub` with a persistent session: it reads, acknowledges, and throws away."""

    def __init__(self, program: str, address: BrokerAddress, folder: Path) -> None:
        self.client_id = f"ref-{uuid.uuid4().hex[:8]}"
        self._command = [program, "-c", "-i", self.client_id, "-q", "1", "-t", f"{PREFIX}/+/telemetry"]
        # In its configuration file, because everybody sees a command's arguments.
        self._env = os.environ | {"XDG_CONFIG_HOME": str(folder)}
        options = folder / "mosquitto_sub"
        options.touch(0o600)
        options.write_text("\n".join(_options(address)) + "\n")

    def open_session(self) -> None:
        """Subscribe and leave: from now on the broker keeps what is published."""
        self._run("-E")

    def drain(self, messages: int) -> None:
        """Read so many messages."""
        self._run("-C", str(messages))

    def _run(self, *more: str) -> None:
        try:
            done = subprocess.run(
                [*self._command, *more],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=self._env,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"mosquitto_sub did not get its messages within {_TIMEOUT_S} s") from error
        if done.returncode:
            raise Unavailable(f"mosquitto_sub failed: {done.stderr.decode(errors='replace').strip()[-200:]}")


def _options(address: BrokerAddress) -> list[str]:
    options = [f"-h {address.host}", f"-p {address.port}"]
    if address.username:
        options += [f"-u {address.username}", f"-P {address.password or ''}"]
    return [*options, "--tls-use-os-certs"] if address.tls else options


def publish_all(address: BrokerAddress, messages: Iterable[tuple[str, bytes]]) -> None:
    """Publish with QoS 1; returns when the broker has confirmed all."""
    client = _connect(address, f"fill-{uuid.uuid4().hex[:8]}")
    client.loop_start()
    try:
        for number, (topic, payload) in enumerate(messages, start=1):
            sent = client.publish(topic, payload, qos=1)
            if number % _WINDOW == 0:
                sent.wait_for_publish(_TIMEOUT_S)
        sent.wait_for_publish(_TIMEOUT_S)
    finally:
        client.disconnect()
        client.loop_stop()


def forget_sessions(address: BrokerAddress, client_ids: Iterable[str]) -> None:
    """The broker keeps nothing more for these clients."""
    for client_id in client_ids:
        client = _connect(address, client_id)
        client.loop_start()
        client.disconnect()
        client.loop_stop()


def _connect(address: BrokerAddress, client_id: str) -> mqtt.Client:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
    client.max_inflight_messages_set(_WINDOW)
    if address.username:
        client.username_pw_set(address.username, address.password)
    if address.tls:
        client.tls_set_context(tls_context(address.files))
    try:
        client.connect(address.host, address.port)
    except OSError as error:
        raise Unavailable(f"broker {address.host}:{address.port} cannot be reached: {error}") from error
    return client
