"""CPU seconds that the processes of a benchmark take, as far as they run on this machine and may be looked at."""

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

import psutil

from millpond.kernel.broker import BrokerAddress
from millpond.kernel.db import WriteConnection

T = TypeVar("T")

_LOCAL = ("", "localhost", "127.0.0.1", "::1")


class CpuMeter:
    """CPU seconds since it was made, of each of several parts; the processes of a part may come and go."""

    def __init__(self, parts: Mapping[str, int | None]) -> None:
        self._parts = parts
        self._before = {name: _cpu_s(pid) for name, pid in parts.items()}

    def microseconds_each(self, messages: int) -> dict[str, float]:
        """`NAME_cpu_us` for each part: CPU microseconds for one of so many messages; nan where nobody can tell."""
        return {
            f"{name}_cpu_us": (_cpu_s(pid) - self._before[name]) / messages * 1e6 for name, pid in self._parts.items()
        }


def find_database(conn: WriteConnection) -> int | None:
    """The server's first process, when it runs on this machine."""
    host = conn.info.host
    if not (host.startswith("/") or host in _LOCAL):
        return None
    return _look(lambda: psutil.Process(conn.info.backend_pid).ppid())


def find_broker(address: BrokerAddress) -> int | None:
    """Who listens on the broker's port, when that is on this machine."""
    if address.host not in _LOCAL:
        return None
    sockets = _look(lambda: psutil.net_connections("tcp")) or []
    return next((s.pid for s in sockets if s.status == psutil.CONN_LISTEN and s.laddr[1:] == (address.port,)), None)


def _cpu_s(pid: int | None) -> float:
    """Of a process, of its children, and of those that it has outlived."""
    seconds = None if pid is None else _look(lambda: _sum_family(psutil.Process(pid)))
    return math.nan if seconds is None else seconds


def _sum_family(parent: psutil.Process) -> float:
    own = parent.cpu_times()
    family = [own, *(child.cpu_times() for child in parent.children(recursive=True))]
    return own.children_user + own.children_system + sum(times.user + times.system for times in family)


def _look(look: Callable[[], T]) -> T | None:
    try:
        return look()
    except psutil.Error:
        return None
