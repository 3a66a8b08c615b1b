"""`millpond import events`, `millpond plan` and `millpond events`."""

import json
from pathlib import Path

from events.nouns import SourceKind
from events.sources import register_source
from millpond.kernel.db import connect
from tests.cli.conftest import Run, assert_one_sentence
from tests.events.calls import track
from tests.people import AT


def test_events_come_from_a_file_and_what_was_refused_comes_after_all(
    database: str, tmp_path: Path, millpond: Run
) -> None:
    with connect(database) as conn:
        register_source(conn, name="Till", kind=SourceKind.POS, at=AT)
    file = tmp_path / "events.ndjson"
    calls = [track("m-1", "Product Viewed", {"sku": "A", "price": "9.99"}), track("m-2", "Lamp Rubbed")]
    file.write_text("\n".join(map(json.dumps, calls)))
    where = {"MILLPOND_DATABASE_URL": database}
    nobody = millpond("import", "events", str(file), "--source", "Shop", **where)
    assert_one_sentence(nobody, "no source is called 'Shop'")
    done = millpond("import", "events", str(file), "--source", "Till", **where)
    assert (done.returncode, done.stdout.splitlines()) == (
        1,
        ["events stored: 1; there already: 0; rows refused: 1", "refused by reason: against_plan 1"],
    )
    assert f"{file}:1: against_plan: Product Viewed: price must be a number" in done.stderr
    assert "Lamp Rubbed" in millpond("events", "unknown", **where).stdout
    listed = millpond("events", "quarantine", "list", **where).stdout
    assert "against_plan  Till  Product Viewed: 1" in listed
    assert '"9.99"' in millpond("events", "quarantine", "show", "1", **where).stdout
    still = millpond("events", "quarantine", "replay", **where)
    assert_one_sentence(still, "1 calls are refused still")
    plans = tmp_path / "plans"
    plans.mkdir()
    (plans / "own.yaml").write_text("$defs: {price: {type: [number, string]}}")
    mended = millpond("events", "quarantine", "replay", "1", **where, MILLPOND_PLANS_DIR=str(plans))
    assert (mended.returncode, mended.stdout) == (0, "1 calls taken, 0 refused still\n")
    assert millpond("events", "quarantine", "drop", **where).returncode == 2
    assert millpond("events", "quarantine", "drop", "--source", "Till", **where).stdout == "0 calls dropped\n"


def test_the_plan_is_listed_shown_and_checked(tmp_path: Path, millpond: Run) -> None:
    assert "Product Viewed" in millpond("plan", "list").stdout
    shown = millpond("plan", "show", "Order Completed").stdout
    assert "order in: order_id" in shown
    assert_one_sentence(millpond("plan", "show", "Lamp"), "the plan has no event 'Lamp'")
    (tmp_path / "good.yaml").write_text("events: {Lamp Rubbed: {says: A ghost came., schema: {}}}")
    (tmp_path / "bad.yaml").write_text("events: {Lamp Rubbed: {says: A ghost came., schema: {type: lamp}}}")
    checked = millpond("plan", "check", str(tmp_path / "good.yaml"), str(tmp_path / "bad.yaml"))
    assert checked.returncode == 1
    assert [line[0] for line in checked.stdout.splitlines()] == ["✓", "✗"]
