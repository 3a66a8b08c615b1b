"""What all faults share: a folder, and a PostgreSQL with a template to copy databases from."""

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from millpond.embedded.databases import create_database, create_template
from millpond.embedded.ports import free_port
from millpond.embedded.postgres import Postgres
from millpond.kernel.clock import SystemClock
from millpond.kernel.errors import Unavailable
from millpond.services import prepare_schema

_TEMPLATE = "template_millpond"


@dataclass(frozen=True, slots=True)
class World:
    """Where faults happen. With `keep` databases stay; `programs` is the folder of PostgreSQL's, if not the wheel's.

    A fault that takes long looks at `interrupted`, and lets time pass with `pause`.
    """

    folder: Path
    postgres: Postgres
    keep: bool = False
    programs: Path | None = None
    interrupted: threading.Event = field(default_factory=threading.Event)

    def pause(self, seconds: float) -> None:
        """Let time pass. Raises Unavailable when the run is interrupted meanwhile."""
        if self.interrupted.wait(max(0.0, seconds)):
            raise Unavailable("the run was interrupted")


@contextmanager
def world(keep: Path | None = None, programs: Path | None = None) -> Iterator[World]:
    """A world in a temporary folder, or in `keep`, which must be new or empty and stays."""
    folder = keep.resolve() if keep else Path(tempfile.mkdtemp(prefix="millpond-proof-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with running_postgres(folder, programs) as postgres:
            yield World(folder, postgres, keep is not None, programs)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_postgres(folder: Path, programs: Path | None) -> Iterator[Postgres]:
    """A server with its data in `folder`, and in it the template; dropped where it stands at the end."""
    preload = _preload(programs) if programs else {}
    postgres = Postgres(folder / "pg", port=free_port(), programs=programs, conf={"shared_buffers": "64MB", **preload})
    try:
        postgres.start()
        create_template(postgres.dsn, _TEMPLATE, lambda conn: prepare_schema(conn, SystemClock().now()))
        yield postgres
    finally:
        postgres.stop("immediate")


def new_database(postgres: Postgres, name: str) -> str:
    """DSN of a fresh copy of the template."""
    return create_database(postgres.dsn, name, template=_TEMPLATE)


def _preload(programs: Path) -> dict[str, object]:
    """Options that load TimescaleDB where these programs have it, with workers for a database per fault."""
    asked = subprocess.run([programs / "pg_config", "--pkglibdir"], capture_output=True, text=True, check=True)
    if not (Path(asked.stdout.strip()) / "timescaledb.so").exists():
        return {}
    return {"shared_preload_libraries": "timescaledb", "max_worker_processes": 40}
