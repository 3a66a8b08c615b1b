"""`millpond consent` as a command; what it does is tested with the use cases."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from customers.consent import record_consent
from customers.nouns import Purpose
from millpond.kernel.db import connect
from tests.cli.conftest import Run, assert_one_sentence
from tests.people import make_customer

WORDS = {"en": "Our own words.", "ko": "저희 문구.", "zh": "我们的说明。"}


def test_purposes_are_listed_and_an_operators_own_words_taken_in(database: str, millpond: Run, tmp_path: Path) -> None:
    entry = {"purpose": "research", "version": 2, "basis": "consent", "words": WORDS, "uses": WORDS, "keeps": WORDS}
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump({"purposes": [entry]}), encoding="utf-8")
    done = millpond("consent", "load", own, MILLPOND_DATABASE_URL=database)
    assert (done.returncode, done.stdout) == (0, "1 new versions: research 2\n"), done.stderr
    listed = millpond("consent", "purposes", MILLPOND_DATABASE_URL=database).stdout
    assert "Our own words." in listed
    own.write_text(yaml.safe_dump({"purposes": [entry | {"version": 4}]}), encoding="utf-8")
    assert_one_sentence(millpond("consent", "load", own, MILLPOND_DATABASE_URL=database), "the next one is version 3")


def test_whom_to_ask_again_is_listed(database: str, millpond: Run) -> None:
    said_at = datetime.now(UTC) - timedelta(days=729)  # noqa: TID251  # the command reads the clock, too
    with connect(database) as conn:
        kim = make_customer(conn).customer_id
        record_consent(conn, kim, Purpose.MARKETING_SMS, version=1, given=True, at=said_at, source="app", evidence={})
    done = millpond("consent", "renewals", "--json", MILLPOND_DATABASE_URL=database)
    assert [json.loads(line)["customer_id"] for line in done.stdout.splitlines()] == [kim], done.stderr
    assert kim in millpond("consent", "renewals", MILLPOND_DATABASE_URL=database).stdout
    assert millpond("consent", "renewals", "--within-days", "0", "--json", MILLPOND_DATABASE_URL=database).stdout == ""
