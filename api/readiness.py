"""Whether this process can serve: one line a check, and no check can hold up the answer for long."""

from concurrent.futures import ThreadPoolExecutor, TimeoutError
from dataclasses import dataclass

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from api.edge import Check, Edge
from ingest.health import check_health
from millpond.kernel.db import ReadConnection
from millpond.kernel.migrate import pending_migrations

_DATABASE_ANSWERS_WITHIN_S = 1.0
# A database that hangs holds its thread until the socket gives up; the next questions then wait in line, and are red.
_asking = ThreadPoolExecutor(max_workers=2, thread_name_prefix="readiness")


@dataclass(frozen=True, slots=True)
class Line:
    """One check: its name, whether it is green, and a sentence."""

    check: str
    ok: bool
    detail: str


def check_readiness(edge: Edge) -> list[Line]:
    """Database, schema, ingest, and whatever the composition root added."""
    asked = _asking.submit(_check_database, edge.reads, edge.settings.status_grace_s)
    try:
        lines = asked.result(timeout=_DATABASE_ANSWERS_WITHIN_S)
    except (psycopg.Error, PoolTimeout, TimeoutError):
        asked.cancel()
        lines = _away()
    return lines + [_run_extra(name, check) for name, check in edge.extra_health.items()]


def _check_database(reads: ConnectionPool[ReadConnection], grace_s: float) -> list[Line]:
    with reads.connection(timeout=_DATABASE_ANSWERS_WITHIN_S) as conn:
        pending = pending_migrations(conn)
        if pending:
            schema = Line("schema", False, f"{len(pending)} migrations are missing, the first is {pending[0]}")
            return [_GREEN_DATABASE, schema, Line("ingest", False, "not known before the schema is current")]
        return [_GREEN_DATABASE, Line("schema", True, "current"), _check_ingest(conn, grace_s)]


_GREEN_DATABASE = Line("database", True, f"answers within {_DATABASE_ANSWERS_WITHIN_S:g} s")


def _check_ingest(conn: ReadConnection, grace_s: float) -> Line:
    health = check_health(conn, grace_s)
    return Line("ingest", health.change is None, health.sentence)


def _away() -> list[Line]:
    database = Line("database", False, f"does not answer within {_DATABASE_ANSWERS_WITHIN_S:g} s")
    return [database] + [Line(name, False, "not known while the database is away") for name in ("schema", "ingest")]


def _run_extra(name: str, check: Check) -> Line:
    try:
        wrong = check()
    except Exception as error:  # A broken check is a red line, never a broken answer.
        wrong = f"the check itself failed: {type(error).__name__}"
    return Line(name, wrong is None, wrong or "fine")
