"""Where the servers of the tests come from, in order: the environment, Docker, the embedded ones."""

import importlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from millpond.embedded.broker import embedded_broker
from millpond.embedded.postgres import embedded_postgres
from millpond.kernel.errors import MillpondError

_MOSQUITTO_CONF = Path(__file__).parent.parent / "docker" / "mosquitto-test.conf"


@contextmanager
def start_database() -> Iterator[str]:
    """A server's DSN: `MILLPOND_TEST_DSN`, else TimescaleDB in Docker, else the embedded PostgreSQL."""
    if dsn := os.environ.get("MILLPOND_TEST_DSN"):
        yield dsn
    elif docker_answers():
        from testcontainers.postgres import PostgresContainer

        with PostgresContainer("timescale/timescaledb:latest-pg17", driver=None) as container:
            yield container.get_connection_url()
    else:
        in_memory = find_room(Path("/dev/shm"))
        with _or_skip("PostgreSQL"), tempfile.TemporaryDirectory(prefix="millpond-pg-", dir=in_memory) as folder:
            with embedded_postgres(Path(folder) / "pg") as dsn:
                yield dsn


@contextmanager
def start_broker() -> Iterator[str]:
    """A broker's URL: `MILLPOND_TEST_BROKER`, else Mosquitto in Docker, else a local mosquitto or amqtt."""
    if url := os.environ.get("MILLPOND_TEST_BROKER"):
        yield url
    elif docker_answers():
        from testcontainers.core.container import DockerContainer
        from testcontainers.core.wait_strategies import LogMessageWaitStrategy

        container = (
            DockerContainer("eclipse-mosquitto:2")
            .with_exposed_ports(1883)
            .with_volume_mapping(str(_MOSQUITTO_CONF), "/mosquitto/config/mosquitto.conf", "ro")
            .waiting_for(LogMessageWaitStrategy("mosquitto version .* running"))
        )
        with container:
            yield f"mqtt://{container.get_container_host_ip()}:{container.get_exposed_port(1883)}"
    else:
        with embedded_broker_of_a_test() as url:
            yield url


@contextmanager
def embedded_broker_of_a_test() -> Iterator[str]:
    """A broker of the test's own: a local mosquitto or amqtt."""
    with _or_skip("broker"), tempfile.TemporaryDirectory(prefix="millpond-mqtt-") as folder:
        with embedded_broker(Path(folder)) as url:
            yield url


def find_room(folder: Path, *, bytes_needed: int = 4_000_000_000) -> Path | None:
    """The folder, where it is one that we may write to and has room: a thousand databases come and go there."""
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return None
    return folder if shutil.disk_usage(folder).free >= bytes_needed else None


def docker_answers() -> bool:
    """Whether a Docker engine can be talked to."""
    with suppress(Exception):
        # Imported by its name: beside the folder docker/ of this repository, mypy does not see the library.
        client = importlib.import_module("docker").from_env(timeout=2)
        try:
            return bool(client.ping())
        finally:
            client.close()
    return False


@contextmanager
def _or_skip(what: str) -> Iterator[None]:
    """Without a server a laptop skips; CI must not."""
    try:
        yield
    except MillpondError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no {what} for the tests: {error}")
