"""A person's story on one line: every channel, every id that is theirs, and nothing of anybody else."""

from datetime import datetime, timedelta
from typing import Any

from attribution.nouns import Channel, Order, OrderItem
from attribution.orders import record_sale
from customers.consent import record_consent
from customers.identifiers import add_identifier
from customers.nouns import Customer, Namespace, Purpose
from dam.person.summary import read_person
from dam.person.timeline import FOR_STAFF, Kind, Moment, select_timeline
from events.nouns import SourceKind
from events.sources import register_source
from events.store import store_events
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import Sku
from millpond.kernel.money import Money
from tests.events.test_events_store import make_event
from tests.people import AT, make_customer, make_shop, merge, scan_badge

DAY = timedelta(days=1)
LATER = AT + 30 * DAY


def line_of(conn: WriteConnection, customer: Customer, **how: Any) -> list[tuple[Kind, str]]:
    return [(each.kind, each.what) for each in read(conn, customer, **how)]


def read(conn: WriteConnection, customer: Customer, *, at: datetime = LATER, **how: Any) -> list[Moment]:
    return select_timeline(conn, customer.customer_id, at=at, **how)


def buy(conn: WriteConnection, customer: Customer, at: datetime) -> Order:
    item = OrderItem(Sku("REED-SOUNDBAR-3"))
    return record_sale(conn, customer_id=customer.customer_id, channel=Channel.APP, items=[item], currency="EUR", at=at)


def browse(conn: WriteConnection, name: str, message_id: str, at: datetime) -> None:
    source = register_source(conn, name=f"site of {message_id}", kind=SourceKind.WEB, at=AT)
    store_events(conn, source, [make_event(message_id, anonymous_id=name, at=at)], at=at)


def test_one_line_has_what_was_done_in_app_web_and_shop(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    ann = shop.customer
    browse(conn, "her-phone", "m-1", AT)
    scan_badge(conn, ann, shop.staff, AT + DAY)
    buy(conn, ann, AT + 2 * DAY)
    add_identifier(conn, ann.customer_id, Namespace.ANONYMOUS, "her-phone", at=AT + 3 * DAY)
    record_consent(
        conn, ann.customer_id, Purpose.RESEARCH, version=1, given=True, at=AT + 4 * DAY, source="app", evidence={}
    )
    assert line_of(conn, ann) == [
        (Kind.CONSENT, "given"),
        (Kind.ORDER, "placed"),
        (Kind.CONSENT, "given"),
        (Kind.BINDING, "badge"),
        (Kind.EVENT, "Product Viewed"),
    ]
    assert line_of(conn, ann, kinds=FOR_STAFF) == [(Kind.ORDER, "placed"), (Kind.BINDING, "badge")]
    assert line_of(conn, ann, at=AT + DAY + DAY / 2, kinds=[Kind.BINDING, Kind.EVENT]) == [
        (Kind.BINDING, "badge"),
        (Kind.EVENT, "Product Viewed"),
    ]


def test_nothing_of_anybody_else_is_on_it(conn: WriteConnection) -> None:
    shop, ben = make_shop(conn), make_customer(conn)
    browse(conn, "his-phone", "m-1", AT)
    add_identifier(conn, ben.customer_id, Namespace.ANONYMOUS, "his-phone", at=AT)
    buy(conn, ben, AT)
    assert line_of(conn, shop.customer) == []


def test_who_was_merged_has_one_line(conn: WriteConnection) -> None:
    ann, old = make_customer(conn), make_customer(conn)
    buy(conn, old, AT)
    buy(conn, ann, AT + DAY)
    merge(conn, old, into=ann)
    both = [(Kind.ORDER, "placed"), (Kind.ORDER, "placed")]
    assert line_of(conn, ann, kinds=[Kind.ORDER]) == line_of(conn, old, kinds=[Kind.ORDER]) == both


def test_pages_follow_each_other_and_leave_nothing_out(conn: WriteConnection) -> None:
    ann = make_customer(conn)
    add_identifier(conn, ann.customer_id, Namespace.ANONYMOUS, "her-phone", at=AT)
    source = register_source(conn, name="Site", kind=SourceKind.WEB, at=AT)
    # Many at one moment: the page must end between them.
    events = [make_event(f"m-{n}", anonymous_id="her-phone", at=AT + (n // 9) * DAY) for n in range(25)]
    store_events(conn, source, events, at=AT)
    for number in range(4):
        buy(conn, ann, AT + number * DAY)
    whole = read(conn, ann, limit=200)
    paged: list[Moment] = []
    while page := read(conn, ann, limit=4, before=(paged[-1].at, paged[-1].kind, paged[-1].ref) if paged else None):
        paged += page
    assert len(whole) == 29
    assert paged == whole


def test_a_person_is_known_by_names_and_by_what_they_kept(conn: WriteConnection) -> None:
    ann = make_customer(conn)
    add_identifier(conn, ann.customer_id, Namespace.CARD, "700123", at=AT)
    add_identifier(conn, ann.customer_id, Namespace.EMAIL, "k1:abcdef", at=AT)
    order = buy(conn, ann, AT)
    person = read_person(conn, ann.customer_id, LATER)
    assert [(each.namespace, each.shown) for each in person.names] == [("card", "700123"), ("email", "")]
    assert [each.kept for each in person.spending] == [Money(order.amount.amount_minor, order.amount.currency)]
    assert person.worth is None
