"""A person who left a mark wherever somebody may write something: what erasure has to find."""

from datetime import timedelta
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from attribution.nouns import Channel, OrderItem
from attribution.orders import record_sale, refund_order
from customers.audit.entries import record_audit
from customers.consent import record_consent
from customers.identifiers import add_identifier
from customers.nouns import Namespace, Purpose
from devices.aliases import alias_device
from devices.nouns import Device
from events.store import store_events
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import CustomerId, Sku
from millpond.kernel.money import Money
from tests.events.test_events_store import make_event, make_source
from tests.household import make_device
from tests.people import AT, make_shop, scan_badge

MARK = "mark-of-kim"
DAY = timedelta(days=1)
_MARKED = {"said": MARK}


def fill_everything(conn: WriteConnection) -> CustomerId:
    """A customer with rows in every table that has something of a person, the mark in all that people write."""
    shop = make_shop(conn)
    person = shop.customer.customer_id
    conn.execute("update customer set name = %s, locale = 'ko', country = 'KR' where customer_id = %s", [MARK, person])
    _identify(conn, person)
    scan_badge(conn, shop.customer, shop.staff)
    conn.execute("update binding set reason = %s", [MARK])
    conn.execute("update staff set customer_id = %s where staff_id = %s", [person, shop.colleague.staff_id])
    _offer(conn, person)
    item = OrderItem(Sku("REED-SOUNDBAR-3"))
    order = record_sale(conn, customer_id=person, channel=Channel.APP, items=[item], currency="EUR", at=AT)
    refund_order(conn, order.order_id, amount=Money(100, "EUR"), at=AT, reason=MARK)
    _insert(conn, "commission_hold", order_id=order.order_id, reason="order_ceiling", held_at=AT, note=MARK)
    conn.execute("update customer_order set offer_id = 'off_1'")
    _fill_devices(conn, make_device(conn, "SN-1", "generic-purifier-pct", person, AT - DAY))
    _score(conn, person)
    _answer(conn, person)
    record_audit(conn, actor="operator:o", action="saw", customer_id=person, because="operator", detail={}, at=AT)
    return person


def _identify(conn: WriteConnection, person: CustomerId) -> None:
    source = make_source(conn)
    for namespace, key in ((Namespace.EXTERNAL, f"{MARK}-login"), (Namespace.ANONYMOUS, f"{MARK}-browser")):
        add_identifier(conn, person, namespace, key, at=AT, evidence=_MARKED)
    event = make_event(f"{MARK}-1", login=f"{MARK}-login", anonymous_id=f"{MARK}-browser")
    store_events(conn, source, [event, make_event("m-2", anonymous_id=f"{MARK}-browser")], at=AT)
    conn.execute(
        "update event set properties = %s, context = %s, session_id = %s", [Jsonb(_MARKED), Jsonb(_MARKED), MARK]
    )
    evidence = {"how": MARK, "reference": MARK}
    record_consent(conn, person, Purpose.RESEARCH, version=1, given=True, at=AT, source="operator", evidence=evidence)
    _insert(conn, "tag_objection", customer_id=person, tag=MARK, at=AT, source="app")


def _offer(conn: WriteConnection, person: CustomerId) -> None:
    subject = {"subject_kind": "other", "subject_key": MARK, "sku": "REED-SOUNDBAR-3"}
    _insert(
        conn,
        "decision",
        decision_id="dec_1",
        customer_id=person,
        trigger="depletion",
        decided_at=AT,
        last_at=AT,
        outcome="issued",
        candidates=Jsonb([_MARKED]),
        gates=Jsonb([_MARKED]),
        policy="rules-1",
        **subject,
    )
    _insert(
        conn,
        "offer",
        offer_id="off_1",
        decision_id="dec_1",
        customer_id=person,
        reason_code="depletion",
        facts=Jsonb(_MARKED),
        state="ordered",
        list_price_minor=2,
        price_minor=1,
        currency="EUR",
        valid_from=AT,
        reply_by=AT,
        valid_until=AT,
        issued_at=AT,
        **subject,
    )
    _insert(conn, "offer_event", offer_id="off_1", state="ordered", at=AT, actor=f"customer:{person}")


def _fill_devices(conn: WriteConnection, device: Device) -> None:
    alias_device(conn, device.device_id, format_name="homie", external_id=MARK, at=AT)
    _refuse(conn, f"homie/{MARK}")
    _insert(conn, "format_description", format="homie", key=MARK, owner=MARK, body=MARK.encode(), described_at=AT)


def _refuse(conn: WriteConnection, name: str) -> None:
    digest, edited = b"1" * 32, b"2" * 32
    _insert(
        conn,
        "quarantined_message",
        digest=digest,
        topic=f"homie/{MARK}/x",
        payload=MARK.encode(),
        received_at=AT,
        size_bytes=11,
    )
    _insert(
        conn, "quarantine", digest=digest, item=MARK, serial=name, code="bad_json", reason=MARK, received_at=AT, items=1
    )
    _insert(
        conn,
        "quarantine_edit",
        digest=digest,
        edited=edited,
        topic=MARK,
        payload=MARK.encode(),
        note=MARK,
        edited_at=AT,
        edited_by="operator:o",
    )
    _insert(
        conn,
        "lobby",
        name=name,
        lobby_id="lob_1",
        format="homie",
        identity=MARK,
        by_serial=False,
        state="refused",
        first_heard_at=AT,
        last_heard_at=AT,
        topic=f"homie/{MARK}",
        decided_at=AT,
        decided_by="operator:o",
        trouble=MARK,
        said_model=MARK,
        other_names=Jsonb([MARK]),
    )


def _score(conn: WriteConnection, person: CustomerId) -> None:
    rows = conn.execute(
        "insert into segment_model (kind, at, made_at, customers, parameters, scores)"
        " values ('worth', %s, %s, 1, '{}', '{}') returning model_id",
        [AT, AT],
    )
    [(model_id,)] = rows
    scored = {"customer_id": person, "at": AT}
    _insert(
        conn,
        "customer_value",
        model_id=model_id,
        made_at=AT,
        purchases=1,
        p_alive=0.5,
        expected_purchases=1,
        currency="EUR",
        **scored,
    )
    _insert(
        conn,
        "purchase_cycle",
        category=MARK,
        purchases=1,
        median_days=2,
        early_days=1,
        late_days=3,
        last_bought_at=AT,
        next_expected_at=AT,
        **scored,
    )
    _insert(conn, "category_propensity", category=MARK, model_id=model_id, propensity=0.5, **scored)


def _answer(conn: WriteConnection, person: CustomerId) -> None:
    """What was answered to them, and to an operator who asked about them."""
    for subject, key in ((f"customer:{person}", "theirs"), ("operator:o", "k")):
        response = Jsonb({"customer_id": person, "name": MARK})
        _insert(
            conn,
            "idempotency_key",
            subject=subject,
            key=key,
            request_hash="h",
            status=200,
            response=response,
            created_at=AT,
        )


def _insert(conn: WriteConnection, table: LiteralString, **values: Any) -> None:
    columns = ", ".join(values)
    places = ", ".join(f"%({name})s" for name in values)
    statement = f"insert into {table} ({columns}) values ({places})"  # noqa: S608  # names that stand in this file
    conn.execute(statement, values)
