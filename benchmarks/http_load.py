"""A served Millpond, and clients that ask it as fast as it answers."""

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from statistics import quantiles

from millpond.embedded.ports import free_port
from millpond.embedded.process import stop
from millpond.kernel.clock import monotonic
from millpond.kernel.errors import Unavailable
from millpond.kernel.waiting import wait_until

_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Served:
    """Where `millpond serve` listens, the secret of its tokens, and seconds from its start to its first answer."""

    port: int
    secret: str
    startup_s: float


@dataclass(frozen=True, slots=True)
class Load:
    """What all clients together saw."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float


@contextmanager
def served(dsn: str) -> Iterator[Served]:
    """`millpond serve` in a process of its own, as an operator runs it; ended with the context."""
    port, secret = free_port(), secrets.token_hex(32)
    env = os.environ | {"MILLPOND_DATABASE_URL": dsn, "MILLPOND_JWT_SECRET": secret, "MILLPOND_HTTP_PORT": str(port)}
    with tempfile.TemporaryFile() as log:
        started = monotonic()
        process = subprocess.Popen([sys.executable, "-m", "millpond", "serve"], env=env, stdout=log, stderr=log)
        try:
            wait_until(
                lambda: _alive(port, process), "an answer of millpond serve", timeout_s=_TIMEOUT_S, every_s=0.005
            )
            yield Served(port, secret, monotonic() - started)
        finally:
            stop(process)


def _alive(port: int, process: "subprocess.Popen[bytes]") -> bool:
    if process.poll() is not None:
        raise Unavailable(f"millpond serve ended at once with exit code {process.returncode}")
    client = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        return _ask(client, "/healthz", {}) == 200
    except OSError:
        return False
    finally:
        client.close()


def put_load_on(port: int, asks: Sequence[tuple[str, dict[str, str]]], *, requests: int, connections: int) -> Load:
    """`requests` GETs over `connections` kept open, each of them in turn one of `asks` (path, headers).

    The next goes out when the answer before is read. Raises Unavailable for any answer but 200.
    """
    shares = [range(first, requests, connections) for first in range(min(connections, requests))]
    with ThreadPoolExecutor(len(shares)) as clients:
        started = monotonic()
        took = [s for some in clients.map(lambda share: _ask_all(port, asks, share), shares) for s in some]
        seconds = monotonic() - started
    cuts = quantiles(took, n=100) if len(took) > 1 else took * 99
    return Load(requests / seconds, cuts[49] * 1000, cuts[98] * 1000)


def _ask_all(port: int, asks: Sequence[tuple[str, dict[str, str]]], share: range) -> list[float]:
    client = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    took = []
    try:
        for number in share:
            path, headers = asks[number % len(asks)]
            started = monotonic()
            status = _ask(client, path, headers)
            took.append(monotonic() - started)
            if status != 200:
                raise Unavailable(f"{path} answered {status}")
    except (OSError, HTTPException) as error:
        raise Unavailable(f"millpond serve broke off: {error}") from error
    finally:
        client.close()
    return took


def _ask(client: HTTPConnection, path: str, headers: dict[str, str]) -> int:
    client.request("GET", path, headers=headers)
    answer = client.getresponse()
    answer.read()
    return answer.status
