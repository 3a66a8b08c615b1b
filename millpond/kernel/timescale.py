"""TimescaleDB: whether this server offers it, loads it at start, and has a version that Millpond was tested with."""

from dataclasses import dataclass

from millpond.kernel.db import ReadConnection, load_queries

_Q = load_queries("millpond.kernel")

LEAST_VERSION = "2.23"
_PRELOAD = "add timescaledb to shared_preload_libraries in postgresql.conf and restart PostgreSQL"


@dataclass(frozen=True, slots=True)
class Timescale:
    """What a database says of it: the versions that are installed and offered, and whether the server loads it."""

    installed: str | None
    offered: str | None
    preloaded: bool

    @property
    def usable(self) -> bool:
        """Whether migrations may count on it: it is installed, or can be created."""
        return self.version is not None and self.fault is None

    @property
    def version(self) -> str | None:
        """The version in this database, else the one that would be created."""
        return self.installed or self.offered

    @property
    def fault(self) -> tuple[str, str] | None:
        """Why the TimescaleDB that is there cannot be used, and what to change; None when it can."""
        if self.version is None:
            return None
        # Without the preload, `create extension` and every look at a table of its kind end the session.
        if not self.preloaded:
            return "the server has TimescaleDB and does not load it", _PRELOAD
        if _numbers(self.version) < _numbers(LEAST_VERSION):
            return f"TimescaleDB {self.version} is too old", f"upgrade it to {LEAST_VERSION} or newer"
        return None


def _numbers(version: str) -> tuple[int, ...]:
    """`2.28.3-dev` as (2, 28, 3)."""
    return tuple(int(part) for part in version.split("-")[0].split(".") if part.isdigit())


def look_for_timescale(conn: ReadConnection) -> Timescale:
    """What this database and its server say; needs no rights, and touches nothing of TimescaleDB's own."""
    row = conn.execute(_Q["select_timescale"]).fetchone()
    assert row is not None
    return Timescale(*row)
