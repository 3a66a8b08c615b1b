"""Random histories: customers live, become one, live on, and are two again, exactly as they were."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attribution.binding_rows import binding_at
from attribution.nouns import Channel
from attribution.order_rows import select_orders
from attribution.orders import record_sale
from attribution.statements.customers import select_bound_customers
from customers.accounts import select_customer, select_customer_by_key
from customers.consent import consents_in_force, record_consent
from customers.identifiers import add_identifier, resolve_customer
from customers.identity.linking import link_identities
from customers.identity.merging import merge_customers, undo_merge
from customers.identity.nouns import Claim, MergeId, Trust
from customers.nouns import Namespace, Purpose
from devices.store import select_devices
from events.store import store_events
from millpond.embedded import people as first_people
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import CustomerId
from offers.life import withdraw_parted_offers
from offers.showing import select_open_offers
from tests.events.test_events_store import events_of, make_event, make_source
from tests.household import current_part, forecast, make_device, run_job
from tests.people import AT, KEYS, make_customer, make_shop
from tests.sales import SOUNDBAR

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MERGED_AT = AT + 10 * DAY
CUSTOMERS = st.integers(0, 2)
DEEDS = st.lists(st.tuples(st.sampled_from(["buy", "scan", "consent", "event", "sign_in"]), CUSTOMERS), max_size=8)
FATES = st.lists(st.tuples(CUSTOMERS, CUSTOMERS), min_size=1, max_size=4)


@dataclass(frozen=True, slots=True)
class World:
    """Three customers with a login and a device each, a shop with two who work there, and one who sends events."""

    conn: WriteConnection
    ids: tuple[CustomerId, ...]
    staff: tuple[Any, Any]
    source: Any

    def do(self, deed: str, who: int, at: datetime, number: int) -> None:
        """One thing that a customer does, under the id that leads to them now."""
        customer_id = resolve_customer(self.conn, self.ids[who])
        assert customer_id is not None
        match deed:
            case "buy":
                record_sale(
                    self.conn, customer_id=customer_id, channel=Channel.APP, items=[SOUNDBAR], currency="EUR", at=at
                )
            case "scan":
                first_people.scan_badge(self.conn, KEYS, self.staff[number % 2], customer_id, at=at)
            case "consent":
                record_consent(
                    self.conn,
                    customer_id,
                    Purpose.RESEARCH,
                    version=1,
                    given=bool(number % 2),
                    at=at,
                    source="app",
                    evidence={},
                )
            case "event":
                event = make_event(f"m-{at.isoformat()}", login=f"login-{who}", at=at)
                store_events(self.conn, self.source, [replace(event, anonymous_id=f"browser-{who}")], at=at)
            case "sign_in":
                claim = Claim(
                    (Namespace.ANONYMOUS, f"browser-{number % 3}"), (Namespace.EXTERNAL, f"login-{who}"), "login", at
                )
                link_identities(self.conn, [claim], trust=Trust.PUBLIC, at=at)

    def reading(self, at: datetime) -> list[dict[str, Any]]:
        """All that is read of each customer of what was before a moment."""
        return [self._reading(customer_id, n, at) for n, customer_id in enumerate(self.ids)]

    def _reading(self, customer_id: CustomerId, n: int, at: datetime) -> dict[str, Any]:
        conn = self.conn
        now = resolve_customer(conn, customer_id)
        assert now is not None
        bound = binding_at(conn, now, at)
        return {
            "customer": (now, select_customer(conn, customer_id), select_customer_by_key(conn, f"login-{n}")),
            "consents": consents_in_force(conn, [customer_id], at)[customer_id],
            "orders": [
                (o.order_id, o.customer_id, o.credited_to)
                for o in select_orders(conn, customer_id=now)
                if o.placed_at <= at
            ],
            "binding": bound and (bound.binding_id, bound.customer_id, bound.staff_id),
            "bound": [b.customer_id for s in self.staff for b in select_bound_customers(conn, s.staff_id, at=at)],
            "devices": select_devices(conn, customer_id=now),
            "offers": [o.offer_id for o in select_open_offers(conn, now, at=at)],
            "events": [m for m in events_of(conn, now) if m < f"m-{at.isoformat()}"],
        }


def make_world(conn: WriteConnection) -> World:
    ids = tuple(make_customer(conn, name=f"Customer {n}").customer_id for n in range(3))
    for n, customer_id in enumerate(ids):
        add_identifier(conn, customer_id, Namespace.EXTERNAL, f"login-{n}", at=AT)
        device = make_device(conn, f"AIR-{n}", "reed-air-2", customer_id, AT - 200 * DAY)
        forecast(conn, current_part(conn, device), MERGED_AT + 5 * DAY, at=AT)
    shop = make_shop(conn)
    return World(conn, ids, (shop.staff, shop.colleague), make_source(conn))


@contextmanager
def forgotten(conn: WriteConnection) -> Iterator[None]:
    with conn.transaction(force_rollback=True):
        yield


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=DEEDS, fates=FATES, after=DEEDS, order=st.randoms(use_true_random=False))
def test_an_undone_merge_leaves_what_was_before_as_if_it_had_never_been(
    conn: WriteConnection, before: Any, fates: Any, after: Any, order: Any
) -> None:
    with forgotten(conn):
        world = make_world(conn)
        for n, (deed, who) in enumerate(before):
            world.do(deed, who, AT + DAY + n * HOUR, n)
        run_job(conn, MERGED_AT)
        apart = world.reading(MERGED_AT)
        assert all(one["offers"] and one["devices"] for one in apart)
        merges = [made for one, other in fates for made in merge(world, one, other)]
        together = world.reading(MERGED_AT)
        for n, (deed, who) in enumerate(after):
            world.do(deed, who, MERGED_AT + DAY + n * HOUR, n)
        order.shuffle(merges)
        for merge_id in merges:
            undo_merge(conn, merge_id, by="operator:o", at=MERGED_AT + 5 * DAY)
        withdraw_parted_offers(conn, world.ids, at=MERGED_AT + 5 * DAY, actor="operator:o")
        assert world.reading(MERGED_AT) == apart
        check_together(apart, together)


def merge(world: World, one: int, other: int) -> list[MergeId]:
    survivor, absorbed = (resolve_customer(world.conn, world.ids[n]) for n in (one, other))
    assert survivor is not None
    assert absorbed is not None
    if survivor == absorbed:
        return []
    made = merge_customers(
        world.conn, survivor, absorbed, because="operator", evidence={}, by="operator:o", at=MERGED_AT
    )
    return [made.merge_id]


def check_together(apart: list[dict[str, Any]], together: list[dict[str, Any]]) -> None:
    """While they are one, whoever was merged reads what all of them had."""
    for reading in together:
        of_person = [a for a, t in zip(apart, together, strict=True) if t["customer"][0] == reading["customer"][0]]
        for what in ("orders", "offers", "events", "devices"):
            keys = [_key(each) for one in of_person for each in one[what]]
            assert sorted(_key(each) for each in reading[what]) == sorted(keys)
        bindings = [one["binding"][0] for one in of_person if one["binding"]]
        assert (reading["binding"] or [None])[0] in (bindings or [None])


def _key(thing: Any) -> str:
    return str(thing[0] if isinstance(thing, tuple) else getattr(thing, "serial", thing))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 5)), max_size=25))
def test_whoever_was_merged_leads_to_the_end_of_the_merges_that_are_not_undone(
    conn: WriteConnection, steps: list[tuple[bool, int, int]]
) -> None:
    with forgotten(conn):
        ids = [make_customer(conn, name=f"C{n}").customer_id for n in range(6)]
        led_to: dict[CustomerId, CustomerId] = {}
        made: list[tuple[MergeId, CustomerId]] = []

        def end(customer_id: CustomerId) -> CustomerId:
            while customer_id in led_to:
                customer_id = led_to[customer_id]
            return customer_id

        for undo, one, other in steps:
            if undo and made:
                merge_id, absorbed = made.pop(one % len(made))
                undo_merge(conn, merge_id, by="operator:o", at=AT)
                del led_to[absorbed]
            elif not undo and end(ids[one]) != end(ids[other]):
                merged = merge_customers(
                    conn, ids[one], ids[other], because="operator", evidence={}, by="operator:o", at=AT
                )
                assert (merged.survivor, merged.absorbed) == (end(ids[one]), end(ids[other]))
                led_to[merged.absorbed] = merged.survivor
                made.append((merged.merge_id, merged.absorbed))
            assert [resolve_customer(conn, each) for each in ids] == [end(each) for each in ids]
