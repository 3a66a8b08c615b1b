"""`millpond quarantine retry` as a command; what becomes of each message is tested with the use case."""

import json
from datetime import UTC, datetime, timedelta

from devices.registry import register_device
from ingest.nouns import Delivery, Lane, Limits
from ingest.storing.refused import store_refused
from millpond.kernel.db import connect
from tests.cli.conftest import Run

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)


def refuse(database: str, *values: float) -> None:
    limits = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
    with connect(database) as conn:
        register_device(conn, serial="A-1", model="generic-purifier-pct", installed_at=NOW - timedelta(days=9), at=NOW)
        for seq, value in enumerate(values, 1):
            sample = {"boot": "b", "seq": seq, "ts": int(NOW.timestamp() * 1000), "metrics": {"filter_life_pct": value}}
            topic, raw = "millpond/v1/A-1/telemetry", json.dumps(sample).encode()
            delivery = Delivery(topic, raw, NOW, Lane.LIVE, 1, 1, 1)
            store_refused(conn, delivery, "a fault", limits, consumer="test", at=NOW)


def test_the_command_says_how_many_of_what(database: str, millpond: Run) -> None:
    refuse(database, 64)
    values = "values: 1 stored, 0 duplicate, 0 in conflict, 0 quarantined"
    dry = millpond("quarantine", "retry", "--dry-run", MILLPOND_DATABASE_URL=database)
    would = f"1 messages: 1 would be stored, 0 refused still, 0 kept without all their bytes; {values}\n"
    assert (dry.returncode, dry.stdout) == (0, would), dry.stderr
    done = millpond("quarantine", "retry", "--limit", 9, MILLPOND_DATABASE_URL=database)
    stored = f"1 messages: 1 stored after all, 0 refused still, 0 kept without all their bytes; {values}\n"
    assert (done.returncode, done.stdout) == (0, stored), done.stderr


def test_a_reason_that_nothing_was_refused_for_is_answered_with_those_there_are(database: str, millpond: Run) -> None:
    refuse(database, 64, 65)
    done = millpond("quarantine", "retry", "--code", "unknown_serials", MILLPOND_DATABASE_URL=database)
    told = (
        "no message waits as unknown_serials; by --code there are: refused 2 (rows of files: import the file again)\n"
    )
    assert (done.returncode, done.stdout) == (0, told), done.stderr


def test_the_command_fails_while_something_is_refused_still(database: str, millpond: Run) -> None:
    refuse(database, 64)
    with connect(database) as conn:
        conn.execute("alter table reading add constraint none check (value is null)")
    done = millpond("quarantine", "retry", MILLPOND_DATABASE_URL=database)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "millpond: 1 messages are refused still: see /ops/quarantine and the log"
