"""Connections: two types, one of which cannot write."""

import json
import logging
import sys

import psycopg
import pytest

from millpond.kernel.db import WriteConnection, load_queries, open_read_pool
from millpond.kernel.log import JsonFormatter


def test_a_read_connection_cannot_write(database: str) -> None:
    with open_read_pool(database, max_size=1) as pool, pool.connection() as conn:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            conn.execute("delete from device")


def test_a_connection_that_the_server_ended_is_given_to_nobody(database: str, conn: WriteConnection) -> None:
    with open_read_pool(database, max_size=1) as pool:
        with pool.connection() as reading:
            pid = reading.info.backend_pid
        assert conn.execute("select pg_terminate_backend(%s, 60000)", [pid]).fetchone() == (True,)
        with pool.connection() as reading:
            assert reading.info.backend_pid != pid


def test_times_come_back_in_utc(conn: WriteConnection) -> None:
    row = conn.execute("select timestamptz '2026-03-01 09:00+09'").fetchone()
    assert row is not None
    assert row[0].isoformat() == "2026-03-01T00:00:00+00:00"


def test_a_queries_file_is_read_by_name() -> None:
    queries = load_queries("millpond.kernel")
    assert queries["claim_job_run"].startswith("-- Claim a period")
    assert queries["claim_job_run"].rstrip().endswith("returning epoch;")


def test_a_log_line_is_one_json_object_with_its_event() -> None:
    record = logging.makeLogRecord({"name": "x", "msg": "stored %d", "args": (3,), "levelname": "INFO"})
    record.event = "batch_stored"
    line = json.loads(JsonFormatter().format(record))
    assert (line["message"], line["event"], line["level"]) == ("stored 3", "batch_stored", "info")


def test_a_log_line_carries_its_exception() -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        record = logging.makeLogRecord({"msg": "no", "exc_info": sys.exc_info()})
    assert "ValueError: broken" in json.loads(JsonFormatter().format(record))["exception"]
