"""A served Millpond, bare endpoints to hold it against, and a client in C that asks them as fast as they answer."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from millpond.embedded.ports import free_port
from millpond.embedded.process import Process
from millpond.kernel.clock import monotonic
from millpond.kernel.errors import ConfigurationError, Unavailable
from millpond.kernel.waiting import wait_until

_TIMEOUT_S = 30
_LUA = Path(__file__).with_suffix(".lua")


@dataclass(frozen=True, slots=True)
class Served:
    """Where `millpond serve` listens, its process, the secret of its tokens, and seconds to its first answer."""

    port: int
    pid: int
    secret: str
    startup_s: float


@dataclass(frozen=True, slots=True)
class Asks:
    """What is asked in turn, over and over, of 127.0.0.1: paths, each with a bearer token or an empty text."""

    port: int
    paths: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Load:
    """What the client saw: answers a second, and times to the whole answer."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float


@contextmanager
def served(dsn: str, **settings: str) -> Iterator[Served]:
    """`millpond serve` in a process of its own, as an operator runs it, with these settings; ended with the context."""
    port, secret = free_port(), secrets.token_hex(32)
    env = os.environ | {"MILLPOND_DATABASE_URL": dsn, "MILLPOND_JWT_SECRET": secret, "MILLPOND_HTTP_PORT": str(port)}
    started = monotonic()
    with _answering([sys.executable, "-m", "millpond", "serve"], env | settings, port, "/healthz") as pid:
        yield Served(port, pid, secret, monotonic() - started)


@contextmanager
def _answering(command: list[str], environment: Mapping[str, str], port: int, path: str) -> Iterator[int]:
    """A server in a process of its own that answers at `path`: its number; ended with the context."""
    with tempfile.TemporaryDirectory(prefix="millpond-benchmark-") as folder:
        with Process(command, Path(folder) / "server.log", environment=environment) as server:
            what = f"an answer of {' '.join(command[2:4])}"
            wait_until(lambda: _alive(port, path, server), what, timeout_s=_TIMEOUT_S, every_s=0.005)
            yield server.pid


def _alive(port: int, path: str, server: Process) -> bool:
    if not server.alive:
        raise Unavailable(f"the server ended at once with exit code {server.exit_code}: {server.last_words()}")
    client = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        client.request("GET", path)
        return client.getresponse().status == 200
    except OSError:
        return False
    finally:
        client.close()


@contextmanager
def bare_served(*, loop: str, http: str) -> Iterator[int]:
    """Port of `benchmarks.bare` under uvicorn in a process of its own; ended with the context."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.bare:app", "--port", str(port), "--no-access-log"]
    with _answering([*command, "--loop", loop, "--http", http], os.environ, port, "/async"):
        yield port


def find_wrk() -> str:
    """Path of the C client; raises ConfigurationError with how to install it."""
    program = shutil.which("wrk")
    if program is None:
        raise ConfigurationError("the load comes from wrk, which is not installed: apt-get install wrk")
    return program


def measure(loads: Mapping[str, Asks], *, rounds: int, seconds: int, connections: int) -> dict[str, Load]:
    """What each of `loads` comes to: the medians of `rounds`, in each of which all take their turn.

    So all see the same machine, also while others use it. Raises ConfigurationError without wrk, Unavailable for any
    answer but 200.
    """
    program = find_wrk()
    for asks in loads.values():
        _put_load_on(program, asks, seconds=1, connections=connections)
    seen = [
        {name: _put_load_on(program, asks, seconds=seconds, connections=connections) for name, asks in loads.items()}
        for _ in range(rounds)
    ]
    return {name: _median([each[name] for each in seen]) for name in loads}


def _median(loads: Sequence[Load]) -> Load:
    return Load(*(median(column) for column in zip(*map(astuple, loads), strict=True)))


def _put_load_on(program: str, asks: Asks, *, seconds: int, connections: int) -> Load:
    with tempfile.NamedTemporaryFile("w", suffix=".asks") as file:
        file.writelines(f"{path}\t{token}\n" for path, token in asks.paths)
        file.flush()
        command = [program, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", f"{_TIMEOUT_S}s", "-s", str(_LUA)]
        url = f"http://127.0.0.1:{asks.port}"
        done = subprocess.run([*command, url, "--", file.name], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"wrk failed: {done.stderr.strip()[-200:]}")
    return _read_load(json.loads(done.stdout.splitlines()[-1]), asks)


def _read_load(seen: Mapping[str, int], asks: Asks) -> Load:
    if seen["refused"] or seen["broken"] or not seen["requests"]:
        wrong = f"{seen['refused']} other than 200, and {seen['broken']} broke off"
        raise Unavailable(f"{asks.paths[0][0]} gave {seen['requests']} answers, {wrong}")
    return Load(seen["requests"] / seen["took_us"] * 1e6, seen["p50_us"] / 1e3, seen["p99_us"] / 1e3)
