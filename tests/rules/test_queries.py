"""SQL is SQL: every named query is one, says what it does, is used, and reads no clock."""

import re

import pytest

from millpond.kernel.db import WriteConnection, load_queries
from tests.rules.source import PRODUCT, files

PACKAGES = sorted(file.removesuffix("/queries.sql").replace("/", ".") for file in files(*PRODUCT, ending="queries.sql"))
QUERIES = [(package, name) for package in PACKAGES for name in load_queries(package)]
# Leases and heartbeats are shared by processes, so they are measured on the database's clock; nothing else is.
MAY_READ_THE_DATABASE_CLOCK = {
    "claim_job_run",
    "hold_job_lease",
    "select_left_period",
    "fail_job_run",
    "beat",
    "select_clock",
    "select_newest_beat",
    "select_beats",
    "select_newest_run",
    "end_heartbeats",
    "select_database_jobs",
    "watch_gaps",
    "ask_gaps",
}
TEXTS = [path.read_text() for path in files(*PRODUCT).values()]


@pytest.mark.parametrize(("package", "name"), QUERIES)
def test_every_named_query_prepares(conn: WriteConnection, package: str, name: str) -> None:
    statement = load_queries(package)[name].rstrip(";").split("\n", 1)[1]
    for temporary in (q for q in load_queries(package).values() if "\ncreate temporary table" in q):
        conn.execute(temporary)
    if statement.lstrip().startswith(("call ", "create temporary table ")):
        conn.execute(statement)
        return
    if statement.lstrip().startswith("copy "):
        with conn.cursor() as cursor, cursor.copy(statement):
            return
    numbers: dict[str, int] = {}
    numbered = re.sub(r"%\((\w+)\)[sb]", lambda m: f"${numbers.setdefault(m[1], len(numbers) + 1)}", statement)
    conn.execute(f"prepare named_query as {numbered.replace('%%', '%')}")


@pytest.mark.parametrize(("package", "name"), QUERIES)
def test_every_named_query_has_one_sentence_and_is_used(package: str, name: str) -> None:
    comment = re.match(r"(?:-- .+\n)+", load_queries(package)[name])
    assert comment is not None, f"{package}.{name} begins without its sentence"
    assert comment[0].endswith(".\n")
    assert any(f'"{name}"' in source for source in TEXTS), f"{package}.{name} is used nowhere"


@pytest.mark.parametrize(("package", "name"), QUERIES)
def test_no_query_reads_a_clock(package: str, name: str) -> None:
    clock = r"\b(now|clock_timestamp|statement_timestamp)\(\)|\bcurrent_(timestamp|date|time)\b"
    if name not in MAY_READ_THE_DATABASE_CLOCK:
        assert not re.search(clock, load_queries(package)[name])


def test_every_query_that_may_read_the_clock_of_the_database_is_there() -> None:
    assert {name for _, name in QUERIES} >= MAY_READ_THE_DATABASE_CLOCK


def test_timescale_stays_in_its_folder() -> None:
    words = re.compile(r"hypertable|time_bucket|continuous_aggregate|compress_chunk|timescaledb\.")
    texts = files(*PRODUCT) | files(*PRODUCT, ending=".sql")
    elsewhere = {file: path for file, path in texts.items() if "/timescale/" not in file}
    assert len(elsewhere) > 50
    assert [file for file, path in elsewhere.items() if words.search(path.read_text())] == []
