"""`millpond segments list`, `show`, `refresh` and `preview`: for a person and for a machine."""

import json
from pathlib import Path

import pytest

from millpond.kernel.db import connect
from tests.cli.conftest import Run, assert_one_sentence
from tests.segments.shoppers import END, put_shoppers

AT = END.isoformat()


@pytest.fixture
def shoppers(database: str) -> str:
    """Forty shoppers."""
    with connect(database) as conn:
        put_shoppers(conn, customers=40)
    return database


def test_segments_are_refreshed_listed_shown_and_tried(shoppers: str, millpond: Run, tmp_path: Path) -> None:
    done = millpond("segments", "refresh", "--at", AT, MILLPOND_DATABASE_URL=shoppers)
    assert done.stdout.startswith(f"40 customers looked at as of {AT}: ")
    listed = json.loads(millpond("segments", "list", "--json", MILLPOND_DATABASE_URL=shoppers).stdout)
    sizes = {each["segment_id"]: each["members"] for each in listed}
    assert sizes["life_active"] > 0
    assert "life_active" in millpond("segments", "list", MILLPOND_DATABASE_URL=shoppers).stdout
    shown = millpond("segments", "show", "life_active", MILLPOND_DATABASE_URL=shoppers).stdout
    assert ("needs: personalisation" in shown, '"field": "life_cycle"' in shown) == (True, True)
    asked = tmp_path / "asked.json"
    asked.write_text(json.dumps({"segment": "life_active"}))
    tried = millpond("segments", "preview", str(asked), "--examples", "2", "--json", MILLPOND_DATABASE_URL=shoppers)
    assert tried.stderr.startswith("expected: about ")
    answer = json.loads(tried.stdout)
    assert (answer["size"], len(answer["examples"])) == (sizes["life_active"], 2)
    with connect(shoppers) as conn:
        assert conn.execute("select action, count(*) from audit_entry group by 1").fetchall() == [("previewed", 2)]


def test_what_is_wrong_is_one_sentence(database: str, millpond: Run, tmp_path: Path) -> None:
    asked = tmp_path / "asked.json"
    asked.write_text('{"field": "shoe_size", "op": "=", "value": 1}')
    assert_one_sentence(
        millpond("segments", "preview", str(asked), MILLPOND_DATABASE_URL=database), "/field: there is no"
    )
    assert_one_sentence(millpond("segments", "show", "nobody", MILLPOND_DATABASE_URL=database), "no such segment")
