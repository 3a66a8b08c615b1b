"""What an offer is about: a part, a device, or something that is no device; and how old rows came to say so."""

from datetime import UTC, datetime
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import CustomerId, DeviceId, InstallationId, Sku
from millpond.kernel.migrate import migrate
from offers.life import decline_offer
from offers.nouns import OfferState, Subject
from offers.showing import show_open_offers
from offers.store import select_decisions, select_facts
from offers.verdict import Thing
from tests.household import DAY, make_device, offers_of, run_job
from tests.old_database import old_database
from tests.people import AT, make_shop

OLD_ROWS: LiteralString = """
insert into product (sku, name, category)
    values ('FILTER', '{"en": "Filter"}', 'filter'), ('STRIP', '{"en": "Strip"}', 'tv');
insert into customer (customer_id, name, created_at) values ('cus_1', 'Kim', '2026-01-01 00:00Z');
insert into device_model (model, name, category) values ('m', '{"en": "Air"}', 'air');
insert into consumable (consumable, name, sku) values ('filter', '{"en": "Filter"}', 'FILTER');
insert into device (device_id, serial, model, customer_id, installed_at, registered_at)
    overriding system value
    values (7, 'S', 'm', null, '2026-01-01 00:00Z', '2026-01-01 00:00Z');
insert into installation (installation_id, device_id, part, consumable, installed_at) overriding system value
    values (31, 7, 'filter', 'filter', '2026-01-01 00:00Z');
insert into decision (decision_id, customer_id, trigger, device_id, installation_id, sku, decided_at, outcome,
                      failed_gate, candidates, gates)
values ('dec_1', 'cus_1', 'depletion', 7, 31, 'FILTER', '2026-02-01 00:00Z', 'issued', null, '[]', '[]'),
       ('dec_2', 'cus_1', 'new_device', 7, null, 'STRIP', '2026-02-02 00:00Z', 'not_issued', 'compatible', '[]',
        '[{"gate": "compatible", "passed": false, "why": "too wide"}]');
insert into offer (offer_id, decision_id, customer_id, device_id, installation_id, sku, reason_code, facts, state,
                   list_price_minor, price_minor, currency, valid_from, reply_by, valid_until, issued_at)
values ('off_1', 'dec_1', 'cus_1', 7, 31, 'FILTER', 'depletion', '{}', 'open', 10, 9, 'EUR', '2026-02-01 00:00Z',
        '2026-02-08 00:00Z', '2026-02-08 00:00Z', '2026-02-01 00:00Z');
"""


def test_offers_and_decisions_of_an_old_database_come_along(server_dsn: str) -> None:
    with old_database(server_dsn, before="0130") as conn:
        conn.execute(OLD_ROWS)
        migrate(conn, at=AT)
        [shown] = show_open_offers(conn, CustomerId("cus_1"), at=datetime(2026, 2, 2, tzinfo=UTC))
        no, yes = select_decisions(conn, customer_id=CustomerId("cus_1"))
    assert (shown.offer.subject, yes.subject, no.subject) == (_PART, _PART, Subject.of_device(DeviceId(7)))
    assert (no.failed_gate, no.times, no.last_at) == ("compatible", 1, no.decided_at)
    assert (yes.policy, yes.score, yes.propensity, yes.place, yes.offer_id) == ("rules-1", None, None, None, "off_1")


_PART = Subject.of_part(DeviceId(7), InstallationId(31))


def offer_to_a_customer(conn: WriteConnection, customer_id: CustomerId, offer_id: str = "off_x") -> None:
    """An offer that is about its customer and no device, as a trigger of tomorrow will make it."""
    values = {
        "offer": offer_id,
        "decision": f"dec_{offer_id}",
        "customer": customer_id,
        "at": AT,
        "until": AT + 7 * DAY,
    }
    conn.execute(
        "insert into decision (decision_id, customer_id, trigger, subject_kind, subject_key, sku, decided_at, last_at,"
        " outcome, candidates, gates, policy, score, propensity, slate_id, slate_position)"
        " values (%(decision)s, %(customer)s, 'new_device', 'customer', %(customer)s, 'REED-SOUNDBAR-3', %(at)s,"
        " %(at)s, 'issued', '[]', '[]', 'learned-7', 0.3, 0.05, 'slt_1', 2)",
        values,
    )
    conn.execute(
        "insert into offer (offer_id, decision_id, customer_id, subject_kind, subject_key, sku, reason_code, facts,"
        " state, list_price_minor, price_minor, currency, valid_from, reply_by, valid_until, issued_at)"
        " values (%(offer)s, %(decision)s, %(customer)s, 'customer', %(customer)s, 'REED-SOUNDBAR-3',"
        " 'fits_new_device', '{}', 'open', 10, 9, 'EUR', %(at)s, %(until)s, %(until)s, %(at)s)",
        values,
    )


def test_an_offer_about_no_device_fits(conn: WriteConnection) -> None:
    customer_id = make_shop(conn).customer.customer_id
    offer_to_a_customer(conn, customer_id)
    [offer] = [each.offer for each in show_open_offers(conn, customer_id, at=AT)]
    assert offer.subject == Subject("customer", customer_id)
    [decision] = select_decisions(conn, customer_id=customer_id)
    assert (decision.policy, decision.score, decision.propensity) == ("learned-7", 0.3, 0.05)
    assert decision.place is not None
    assert (decision.place.slate_id, decision.place.position) == ("slt_1", 2)
    decline_offer(conn, offer.offer_id, customer_id=customer_id, at=AT + DAY)
    [facts] = select_facts(conn, [Thing(customer_id, offer.subject, offer.sku)], AT + 2 * DAY)
    assert (facts.open_offer, facts.last_answer) == (None, OfferState.DECLINED)


def test_a_subject_that_is_no_device_has_one_open_offer_of_a_product(conn: WriteConnection) -> None:
    shop, other = make_shop(conn), make_shop(conn)
    offer_to_a_customer(conn, shop.customer.customer_id)
    offer_to_a_customer(conn, other.customer.customer_id, "off_other")
    thing = Thing(shop.customer.customer_id, Subject("customer", shop.customer.customer_id), Sku("REED-SOUNDBAR-3"))
    assert [facts.open_offer for facts in select_facts(conn, [thing], AT)] == ["off_x"]
    with pytest.raises(psycopg.errors.UniqueViolation, match="one_open_offer_per_subject_and_product"):
        offer_to_a_customer(conn, shop.customer.customer_id, "off_y")


@pytest.mark.parametrize("columns", ["subject_key = '999'", "device_id = null", "subject_kind = 'customer'"])
def test_a_subject_that_is_a_device_names_it(conn: WriteConnection, columns: LiteralString) -> None:
    shop = make_shop(conn)
    make_device(conn, "TV-55", "reed-tv-55", shop.customer.customer_id, AT)
    run_job(conn, AT + DAY)
    assert {offer.subject.kind for offer in offers_of(conn, shop.customer.customer_id)} == {"device"}
    for table in ("offer", "decision"):
        with (
            pytest.raises(psycopg.errors.CheckViolation, match=f"{table}_subject_names_its_device"),
            conn.transaction(),
        ):
            conn.execute(sql.SQL("update {} set {}").format(sql.Identifier(table), sql.SQL(columns)))
