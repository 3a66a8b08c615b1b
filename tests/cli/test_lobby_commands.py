"""`millpond lobby` and `millpond device` as commands; what they do is tested with the use cases."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from devices.registry import register_device
from ingest.nouns import Delivery, Lane, Limits
from ingest.storing.batch import store_batch
from millpond.kernel.db import connect
from tests.cli.conftest import Run, assert_one_sentence

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _waiting(database: str) -> None:
    limits = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
    sample = json.dumps({"boot": "b", "seq": 1, "metrics": {"filter_life_pct": 64}}).encode()
    deliveries = [
        Delivery(f"millpond/v1/{serial}/telemetry", sample, NOW, Lane.LIVE, 1, 1, 1) for serial in ("GHOST", "OTHER")
    ]
    with connect(database) as conn:
        store_batch(conn, deliveries, limits, consumer="test", at=NOW)


def test_who_waits_is_listed_shown_and_admitted(database: str, millpond: Run) -> None:
    listed = millpond("lobby", "list", MILLPOND_DATABASE_URL=database)
    assert listed.stdout.splitlines()[-1].startswith("2 wait, 0 are refused; 2 messages are kept"), listed.stderr
    assert "GHOST" in listed.stdout
    shown = millpond("lobby", "show", "GHOST", MILLPOND_DATABASE_URL=database)
    assert '"filter_life_pct": 64' in shown.stdout
    assert "may be a generic-purifier-" in shown.stdout
    assert "millpond lobby admit lob_" in shown.stdout
    done = millpond("lobby", "admit", "GHOST", "--model", "generic-purifier-pct", MILLPOND_DATABASE_URL=database)
    told = "GHOST is a generic-purifier-pct now; stored of 1 messages: 1 values, 0 duplicates, 0 in quarantine\n"
    assert (done.returncode, done.stdout) == (0, told), done.stderr


def test_who_is_not_wanted_is_refused_or_forgotten(database: str, millpond: Run) -> None:
    done = millpond("lobby", "refuse", "GHOST", MILLPOND_DATABASE_URL=database)
    assert done.stdout == "GHOST is refused: what it sends is dropped and counted\n", done.stderr
    assert "GHOST" in millpond("lobby", "list", "--refused", MILLPOND_DATABASE_URL=database).stdout
    done = millpond("lobby", "forget", "GHOST", MILLPOND_DATABASE_URL=database)
    assert done.stdout == "GHOST and 1 messages of it are deleted\n", done.stderr
    assert_one_sentence(millpond("lobby", "show", "GHOST", MILLPOND_DATABASE_URL=database), "nobody in the lobby")


def test_rules_are_made_listed_and_taken_away(database: str, millpond: Run) -> None:
    url = {"MILLPOND_DATABASE_URL": database}
    made = millpond("lobby", "rules", "add", "zigbee2mqtt", "purifier-*", "--model", "generic-purifier-pct", **url)
    rule_id, _, told = made.stdout.partition(": ")
    assert told == "zigbee2mqtt purifier-* is a generic-purifier-pct; ingest admits who is called so\n", made.stderr
    assert rule_id in millpond("lobby", "rules", "list", **url).stdout
    assert millpond("lobby", "rules", "remove", rule_id, **url).stdout == f"{rule_id} is removed\n"
    assert millpond("lobby", "rules", "list", **url).stdout == "0 rules\n"


def test_a_device_is_told_what_hubs_call_it(database: str, millpond: Run) -> None:
    url = {"MILLPOND_DATABASE_URL": database}
    assert_one_sentence(millpond("device", "alias", "A-1", "tasmota", "plug", **url), "no device A-1 is registered")
    with connect(database) as conn:
        register_device(conn, serial="A-1", model="generic-purifier-pct", installed_at=NOW, at=NOW)
    assert millpond("device", "alias", "A-1", "tasmota", "plug", **url).returncode == 0
    assert millpond("device", "aliases", "A-1", **url).stdout == "tasmota\tplug\n"
    assert millpond("device", "unalias", "A-1", "tasmota", "plug", **url).returncode == 0
    assert millpond("device", "aliases", "A-1", **url).stdout == "A-1 is called nothing else\n"


def test_a_format_is_meant_however_it_is_spelt_and_one_that_nobody_reads_is_refused(
    database: str, millpond: Run
) -> None:
    url = {"MILLPOND_DATABASE_URL": database}
    with connect(database) as conn:
        register_device(conn, serial="A-1", model="generic-purifier-pct", installed_at=NOW, at=NOW)
    assert millpond("device", "alias", "A-1", "Zigbee 2 MQTT", "kitchen", **url).returncode == 0
    assert millpond("device", "aliases", "A-1", **url).stdout == "zigbee2mqtt\tkitchen\n"
    made = millpond("lobby", "rules", "add", "Zigbee2MQTT", "k*", "--model", "generic-purifier-pct", **url)
    assert ": zigbee2mqtt k* is a generic-purifier-pct" in made.stdout
    for words in (
        ("device", "alias", "A-1", "zigbe", "hall"),
        ("lobby", "rules", "add", "zigbe", "h*", "--model", "m"),
    ):
        assert_one_sentence(millpond(*words, **url), "no format is called 'zigbe'; there are millpond-v1, ")


def test_a_narrow_terminal_cuts_no_id(database: str, millpond: Run) -> None:
    listed = millpond("lobby", "list", MILLPOND_DATABASE_URL=database, COLUMNS="60").stdout
    rows = [line.strip("│").split("│") for line in listed.splitlines() if line.startswith("│")]
    with connect(database) as conn:
        ids = [str(lobby_id) for (lobby_id,) in conn.execute("select lobby_id from lobby")]
    shown = "".join(row[0].strip() for row in rows)
    assert len(ids) == 2
    assert all(lobby_id in shown for lobby_id in ids)
    assert "…" not in listed


def test_the_command_waits_for_who_speaks_and_admits_it_as_of_when_it_was_installed(
    database: str, millpond: Run
) -> None:
    url = {"MILLPOND_DATABASE_URL": database}
    waited = millpond("lobby", "wait", "ghost", "--timeout", 5, **url)
    assert waited.stdout == "GHOST speaks millpond-v1: 1 messages wait\n", waited.stderr
    assert_one_sentence(millpond("lobby", "wait", "nobody", "--timeout", 0, **url), "waited 0 s in vain")
    chosen = ("--model", "generic-purifier-pct", "--installed-at", "2026-01-01")
    assert millpond("lobby", "admit", "GHOST", *chosen, **url).returncode == 0
    with connect(database) as conn:
        installed = conn.execute("select installed_at::date::text from device where serial = 'GHOST'").fetchall()
    assert installed == [("2026-01-01",)]
