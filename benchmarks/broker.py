"""The broker's side of the ingest benchmark: publishers and a subscriber in C, and sessions that wait."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from devices.wire import PREFIX
from millpond.kernel.broker import BrokerAddress, TlsFiles, tls_context
from millpond.kernel.errors import ConfigurationError, Unavailable

_WINDOW = 1000
_TIMEOUT_S = 120


def find_client(name: str) -> str:
    """Path of `mosquitto_sub` or `mosquitto_pub`; raises ConfigurationError with how to install it."""
    program = shutil.which(name)
    if program is None:
        raise ConfigurationError(
            f"the reference needs {name}, which is not installed: apt-get install mosquitto-clients"
        )
    return program


class Account:
    """How the clients in C find the broker: options in configuration files, because everybody sees a command's."""

    def __init__(self, address: BrokerAddress, folder: Path) -> None:
        self.env = os.environ | {"XDG_CONFIG_HOME": str(folder)}
        for name in ("mosquitto_sub", "mosquitto_pub"):
            file = folder / name
            file.touch(0o600)
            file.write_text("\n".join(_options(address)) + "\n")


class CSubscriber:
    """`mosquitto_sub` with a persistent session: it reads, acknowledges, and throws away."""

    def __init__(self, account: Account) -> None:
        self.client_id = f"ref-{uuid.uuid4().hex[:8]}"
        topic = f"{PREFIX}/+/telemetry"
        self._command = [find_client("mosquitto_sub"), "-c", "-i", self.client_id, "-q", "1", "-t", topic]
        self._env = account.env

    def open_session(self) -> None:
        """Subscribe and leave: from now on the broker keeps what is published."""
        with self._running("-E"):
            pass

    def drain(self, messages: int) -> None:
        """Read so many messages."""
        with self.reading(messages):
            pass

    def reading(self, messages: int) -> AbstractContextManager[None]:
        """A context in which it reads; at the end it has read so many messages."""
        return self._running("-C", str(messages))

    @contextmanager
    def _running(self, *more: str) -> Iterator[None]:
        with subprocess.Popen(
            [*self._command, *more], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=self._env
        ) as child:
            yield
            _end(child, "mosquitto_sub")


@contextmanager
def publishing(account: Account, topics: Sequence[str], files: Sequence[Path]) -> Iterator[None]:
    """One `mosquitto_pub -l -q 1` a topic, which publishes the lines of a file; all are through at the end."""
    program = find_client("mosquitto_pub")
    with ExitStack() as stack:
        children = [
            stack.enter_context(
                subprocess.Popen(
                    [program, "-l", "-q", "1", "-t", topic],
                    stdin=stack.enter_context(file.open("rb")),
                    stderr=subprocess.PIPE,
                    env=account.env,
                )
            )
            for topic, file in zip(topics, files, strict=True)
        ]
        yield
        for child in children:
            _end(child, "mosquitto_pub")


def _end(child: "subprocess.Popen[bytes]", name: str) -> None:
    try:
        _, said = child.communicate(timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        child.kill()
        raise Unavailable(f"{name} did not come to its end within {_TIMEOUT_S} s") from error
    if child.returncode:
        raise Unavailable(f"{name} failed: {said.decode(errors='replace').strip()[-200:]}")


def _options(address: BrokerAddress) -> list[str]:
    options = [f"-h {address.host}", f"-p {address.port}"]
    if address.username:
        options += [f"-u {address.username}", f"-P {address.password or ''}"]
    return [*options, *_tls_options(address.files)] if address.tls else options


def _tls_options(files: TlsFiles) -> list[str]:
    named = {"cafile": files.ca_file, "cert": files.client_cert, "key": files.client_key or files.client_cert}
    options = [f"--{name} {file}" for name, file in named.items() if file]
    return options if files.ca_file else [*options, "--tls-use-os-certs"]


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
