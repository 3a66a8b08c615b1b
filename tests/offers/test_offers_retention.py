"""Decisions that made no offer go when a later one says more; what explains an offer stays."""

from datetime import datetime

from millpond.kernel.db import WriteConnection
from offers.store import select_decisions
from tests.endings import retain
from tests.household import DAY, LEAD, current_part, forecast, make_device, offers_of, replace_part, run_job
from tests.people import AT, make_customer, make_shop, scan_badge

OLD = AT - 600 * DAY


def decided_no(conn: WriteConnection, serial: str, at: datetime, count: int) -> None:
    """That many different noes about the filter of a device, a day apart."""
    conn.execute(
        "insert into decision (decision_id, customer_id, trigger, subject_kind, subject_key, device_id,"
        " installation_id, sku, decided_at, last_at, outcome, failed_gate, candidates, gates, policy)"
        " select %(serial)s || '-' || n, d.customer_id, 'depletion', 'installation', i.installation_id::text,"
        "        d.device_id, i.installation_id, c.sku, %(at)s::timestamptz + n * interval '1 day',"
        "        %(at)s::timestamptz + n * interval '1 day', 'not_issued', 'gate ' || n, '[]', '[]', 'rules-1'"
        " from device d join installation i using (device_id) join consumable c using (consumable),"
        "      generate_series(0, %(count)s - 1) n"
        " where d.serial = %(serial)s and i.part = 'filter' and i.ended_at is null",
        {"serial": serial, "at": at, "count": count},
    )


def decisions(conn: WriteConnection) -> list[str]:
    return [row[0] for row in conn.execute("select decision_id from decision order by decision_id")]


def test_of_old_noes_the_last_about_a_thing_stays(conn: WriteConnection) -> None:
    customer = make_customer(conn).customer_id
    for serial in ("A", "B"):
        make_device(conn, serial, "reed-air-2", customer, OLD - 100 * DAY)
        decided_no(conn, serial, OLD, 3)
    assert retain(conn, AT) == {"decisions that made no offer": 4}
    assert decisions(conn) == ["A-2", "B-2"]


def test_young_noes_stay(conn: WriteConnection) -> None:
    make_device(conn, "A", "reed-air-2", make_customer(conn).customer_id, OLD)
    decided_no(conn, "A", AT - 300 * DAY, 3)
    assert retain(conn, AT) == {}


def test_the_noes_about_a_part_that_was_replaced_long_ago_go(conn: WriteConnection) -> None:
    device = make_device(conn, "A", "reed-air-2", make_customer(conn).customer_id, OLD - 100 * DAY)
    decided_no(conn, "A", OLD, 2)
    replace_part(conn, current_part(conn, device), OLD + 10 * DAY)
    assert retain(conn, AT) == {"decisions that made no offer": 2}


def test_what_explains_an_offer_stays_as_long_as_the_offer(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    scan_badge(conn, shop.customer, shop.staff)
    device = make_device(conn, "A", "reed-air-2", shop.customer.customer_id, AT - 200 * DAY)
    due = AT + 30 * DAY
    forecast(conn, current_part(conn, device), due + LEAD.total, at=due)
    run_job(conn, due)
    [offer] = offers_of(conn, shop.customer.customer_id)
    gone = retain(conn, due + 5000 * DAY)
    assert "decisions that made no offer" not in gone
    assert offers_of(conn, shop.customer.customer_id) == [offer]
    assert offer.decision_id in [d.decision_id for d in select_decisions(conn, customer_id=None, before=None, limit=9)]
