"""`millpond quarantine` as commands; what becomes of each message is tested with the use cases."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from devices.registry import register_device
from ingest.nouns import Delivery, Lane, Limits
from ingest.storing.batch import store_batch
from ingest.storing.refused import store_refused
from millpond.kernel.db import connect
from tests.cli.conftest import Run, assert_one_sentence

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


def send_bad(database: str) -> str:
    """A device says what is refused: its number, as the list shows it."""
    limits = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
    payload = b'{"boot":"b","seq":1,"metrics":{"filter_life_pct":6x}}'
    with connect(database) as conn:
        register_device(conn, serial="A-1", model="generic-purifier-pct", installed_at=NOW - timedelta(days=9), at=NOW)
        delivery = Delivery("millpond/v1/A-1/telemetry", payload, NOW, Lane.LIVE, 1, 1, 1)
        store_batch(conn, [delivery], limits, consumer="test", at=NOW)
        [(number,)] = conn.execute("select min(quarantine_id) from quarantine").fetchall()
    return str(number)


def test_what_was_refused_is_listed_grouped_shown_mended_and_gone(database: str, millpond: Run, tmp_path: Path) -> None:
    url, number, file = {"MILLPOND_DATABASE_URL": database}, send_bad(database), tmp_path / "message"
    listed = millpond("quarantine", "list", "--model", "generic-purifier-pct", **url)
    assert ("malformed" in listed.stdout, listed.stdout.splitlines()[-1]) == (True, "2 items"), listed.stderr
    assert millpond("quarantine", "groups", **url).stdout.splitlines()[-1] == "2 items are refused"
    shown = millpond("quarantine", "show", number, **url).stdout
    assert "it breaks at byte 50" in shown
    file.write_text(millpond("quarantine", "show", number, "--bytes", **url).stdout.replace("6x", "63"))
    tried = millpond("quarantine", "edit", number, file, "--dry-run", **url)
    assert tried.stdout.splitlines()[-1].startswith("values: 1 would be stored"), tried.stderr
    done = millpond("quarantine", "edit", number, file, "--note", "a misprint", **url)
    assert (done.returncode, done.stdout.splitlines()[-1][:16]) == (0, "values: 1 stored"), done.stderr
    assert "mended by operator:command" in millpond("quarantine", "show", number, **url).stdout
    assert millpond("quarantine", "list", **url).stdout == "0 items\n"
    assert millpond("quarantine", "list", "--stored", **url).stdout.splitlines()[-1] == "2 items"


def test_a_number_that_is_none_is_said_in_one_sentence(database: str, millpond: Run) -> None:
    for words in (("show", 99), ("retry", 99)):
        done = millpond("quarantine", *words, MILLPOND_DATABASE_URL=database)
        assert_one_sentence(done, "nothing in quarantine has the number 99")
