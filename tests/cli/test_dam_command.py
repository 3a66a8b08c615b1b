"""`millpond dam report`: what is tied to a known customer and what leaks, for a person and for a machine."""

import json

from millpond.kernel.db import connect
from tests.cli.conftest import Run
from tests.dam.flows import END, make_dam

AT = END.isoformat()


def test_the_report_is_a_table_and_sentences_or_json(database: str, millpond: Run) -> None:
    with connect(database) as conn, conn.transaction():
        truth = make_dam(conn).truth
    done = millpond("dam", "report", "--at", AT, MILLPOND_DATABASE_URL=database)
    assert (done.returncode, done.stderr) == (0, "")
    lost = truth.orders["Harbour"] - truth.known_orders["Harbour"]
    assert f"{lost}% of the orders in Harbour belong to nobody we know: {lost} of 100." in done.stdout
    assert "conversations: nothing tells us of these yet" in done.stdout
    answer = json.loads(millpond("dam", "report", "--at", AT, "--json", MILLPOND_DATABASE_URL=database).stdout)
    [orders] = [flow for flow in answer["flows"] if flow["flow"] == "orders"]
    assert (orders["total"], orders["known"]) == (truth.orders.total(), truth.known_orders.total())
    assert answer["leaks"][0]["code"] == "till_orders"


def test_a_dam_without_water_says_so(database: str, millpond: Run) -> None:
    done = millpond("dam", "report", "--at", AT, MILLPOND_DATABASE_URL=database)
    assert done.returncode == 0, done.stderr
    assert "orders: nothing tells us of these yet" in done.stdout
    assert done.stdout.endswith("no leak of one per cent or more\n")
