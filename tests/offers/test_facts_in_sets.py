"""The facts of many things at once are those that each has when it is asked about alone, by a plainer query."""

from dataclasses import astuple
from datetime import datetime, timedelta
from random import Random
from typing import LiteralString

import pytest

from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import CustomerId, DeviceId, InstallationId, Sku
from offers.nouns import Subject
from offers.store import select_facts
from offers.verdict import Facts, Thing
from tests.people import AT

HOUR = timedelta(hours=1)
SKUS = [Sku(sku) for sku in ("FILTER", "BRUSH", "TV", "BAR")]
CUSTOMERS = [CustomerId(f"cus_{n}") for n in range(3)]

PLAIN_FACTS: LiteralString = """
with mine as (
    select f.depletes_p10 from depletion_forecast f
    where f.installation_id = %(installation_id)s::bigint and f.at <= %(at)s
    order by f.at desc, f.run_id desc limit 1
), answered as (
    select o.state, e.at from offer o join offer_event e using (offer_id, state)
    where o.state in ('declined', 'expired') and o.device_id = %(device_id)s and o.sku = %(sku)s
      and o.installation_id is not distinct from %(installation_id)s::bigint
      and o.customer_id = %(customer_id)s
    order by e.at desc limit 1
), movement as (
    select o.placed_at as at, l.quantity as units
    from customer_order o join order_line l using (order_id)
    where o.customer_id = %(customer_id)s and l.sku = %(sku)s and o.refunded_minor < o.amount_minor
    union all
    select i.installed_at, -1
    from installation i join device_owner w using (device_id) join consumable c using (consumable)
    where w.customer_id = %(customer_id)s and c.sku = %(sku)s
      and i.installed_at >= w.owned_from and (w.owned_until is null or i.installed_at < w.owned_until)
      and i.ended_by is distinct from 'undone'
      and exists (select 1 from installation p
                  where p.device_id = i.device_id and p.part = i.part and p.installed_at < i.installed_at)
), since as (
    select sum(units) over (order by at desc, units) as units from movement
)
select (select o.offer_id from offer o
        where o.state in ('open', 'seen')
          and (o.installation_id = %(installation_id)s::bigint or (o.device_id = %(device_id)s and o.sku = %(sku)s))
        order by o.offer_id limit 1),
       (select state from answered), (select at from answered),
       (select n.evidence from compatibility n join device_model m on m.sku in (n.from_sku, n.to_sku)
        join device d using (model)
        where n.relation = 'incompatible' and d.device_id = %(device_id)s and %(sku)s in (n.from_sku, n.to_sku)
          and m.sku <> %(sku)s),
       (select greatest(0, coalesce(max(units), 0))::integer from since),
       (select count(*)::integer
        from installation s join device d using (device_id) join consumable c using (consumable)
        left join lateral (select f.depletes_p10 from depletion_forecast f
                           where f.installation_id = s.installation_id and f.at <= %(at)s
                           order by f.at desc, f.run_id desc limit 1) f on true
        where d.customer_id = %(customer_id)s and c.sku = %(sku)s and s.ended_at is null
          and (coalesce(f.depletes_p10, 'infinity'), s.installation_id)
              <= (coalesce((select depletes_p10 from mine), 'infinity'), %(installation_id)s::bigint)),
       (exists (select 1 from customer_order o join order_line l using (order_id)
                where o.customer_id = %(customer_id)s and l.sku = %(sku)s and o.refunded_minor < o.amount_minor)
        or exists (select 1 from device d join device_model m using (model)
                   where d.customer_id = %(customer_id)s and m.sku = %(sku)s)),
       exists (select 1 from installation i
               where i.installation_id = %(installation_id)s::bigint and i.ended_at is not null),
       exists (select 1 from installation i
               where i.installation_id = %(installation_id)s::bigint and i.ended_by = 'undone')
"""

CATALOGUE: LiteralString = """
insert into product (sku, name, category)
    select sku, '{"en": "thing"}', 'thing' from unnest(array['FILTER', 'BRUSH', 'TV', 'BAR']) sku;
insert into device_model (model, name, category, sku) values
    ('air', '{"en": "Air"}', 'air', null), ('tv', '{"en": "TV"}', 'tv', 'TV'), ('bar', '{"en": "Bar"}', 'tv', 'BAR');
insert into consumable (consumable, name, sku)
    values ('c1', '{"en": "c"}', 'FILTER'), ('c2', '{"en": "c"}', 'FILTER'), ('c3', '{"en": "c"}', 'BRUSH');
insert into compatibility (from_sku, to_sku, relation, weight, evidence) values
    ('TV', 'BAR', 'incompatible', 1, 'no plug'), ('TV', 'FILTER', 'accessory', 1, 'odd'),
    ('BRUSH', 'BAR', 'incompatible', 1, 'no hair');
insert into customer (customer_id, name, created_at)
    select 'cus_' || n, 'Kim', '2025-01-01 00:00Z' from generate_series(0, 2) n;
insert into forecast_run (at, made_at) values ('2025-01-01 00:00Z', '2025-01-01 00:00Z');
"""


class Lives:
    """Three households with a random past: devices that change hands, parts, forecasts, orders, offers."""

    def __init__(self, conn: WriteConnection, seed: int) -> None:
        self._conn, self._random = conn, Random(seed)
        self.things: list[Thing] = []
        conn.execute(CATALOGUE.encode())
        row = conn.execute("select max(run_id) from forecast_run").fetchone()
        assert row is not None
        self._run_id = row[0]
        for number in range(8):
            self._live(DeviceId(self._add_device(number)))
        for number in range(6):
            self._order(f"ord_{seed}_{number}")
        for number, thing in enumerate(self._random.sample(self.things, k=12)):
            self._offer(f"off_{seed}_{number}", thing)

    def _moment(self) -> datetime:
        return AT + self._random.randint(-20, 20) * 10 * HOUR

    def _one(self, query: LiteralString, *values: object) -> int:
        row = self._conn.execute(query, values).fetchone()
        assert row is not None
        return int(row[0])

    def _add_device(self, number: int) -> int:
        owners = [self._random.choice([*CUSTOMERS, None]) for _ in range(self._random.randint(1, 3))]
        device_id = self._one(
            "insert into device (serial, model, customer_id, installed_at, registered_at)"
            " values (%s, %s, %s, %s, %s) returning device_id",
            *(f"D{number}", self._random.choice(["air", "tv", "bar"]), owners[-1], AT - 900 * HOUR, AT),
        )
        begins = sorted(self._random.sample(range(-300, 100), k=len(owners)))
        ends = [*begins[1:], None]
        for owner, begin, end in zip(owners, begins, ends, strict=True):
            if owner is not None:
                self._conn.execute(
                    "insert into device_owner values (%s, %s, %s, %s, 'test')",
                    [device_id, owner, AT + begin * HOUR, AT + end * HOUR if end is not None else None],
                )
        return device_id

    def _live(self, device_id: DeviceId) -> None:
        for part in self._random.sample(["front", "back"], k=self._random.randint(1, 2)):
            moments = sorted(self._random.sample(range(-400, 200), k=self._random.randint(1, 4)))
            for begin, end in zip(moments, [*moments[1:], None], strict=True):
                self._install(device_id, part, begin, end)
        self.things += [
            Thing(self._random.choice(CUSTOMERS), Subject.of_device(device_id), sku)
            for sku in self._random.sample(SKUS, k=2)
        ]

    def _install(self, device_id: DeviceId, part: str, begin: int, end: int | None) -> None:
        ended_by = None if end is None else self._random.choice(["percent_rise", "replaced_event", "undone"])
        installation_id = InstallationId(
            self._one(
                "insert into installation (device_id, part, consumable, installed_at, ended_at, ended_by,"
                " undone_because) values (%s, %s, %s, %s, %s, %s, %s) returning installation_id",
                *(device_id, part, self._random.choice(["c1", "c2", "c3"]), AT + begin * HOUR),
                *(
                    AT + end * HOUR if end is not None else None,
                    ended_by,
                    "came_back" if ended_by == "undone" else None,
                ),
            )
        )
        if self._random.random() < 0.8:
            at, dated = self._moment(), self._random.random() < 0.7
            p10 = self._moment() if dated else None
            self._conn.execute(
                "insert into depletion_forecast (run_id, installation_id, at, made_at, method, reason, threshold_pct,"
                " depletes_p10, depletes_p50, depletes_p90) values (%s, %s, %s, %s, 'rate', %s, 10, %s, %s, %s)",
                [self._run_id, installation_id, at, at, None if dated else "none", p10, p10, p10],
            )
        subject = Subject.of_part(device_id, installation_id)
        self.things.append(Thing(self._random.choice([*CUSTOMERS, None]), subject, self._random.choice(SKUS[:2])))

    def _order(self, order_id: str) -> None:
        at, refunded = self._moment(), self._random.choice([0, 0, 5, 10])
        self._conn.execute(
            "insert into customer_order (order_id, customer_id, channel, amount_minor, refunded_minor, currency,"
            " placed_at, created_at) values (%s, %s, 'app', 10, %s, 'EUR', %s, %s)",
            [order_id, self._random.choice(CUSTOMERS), refunded, at, at],
        )
        for line, sku in enumerate(self._random.sample(SKUS, k=2)):
            units = self._random.randint(1, 2)
            self._conn.execute("insert into order_line values (%s, %s, %s, %s, 5)", [order_id, line, sku, units])

    def _offer(self, offer_id: str, thing: Thing) -> None:
        """One that is in any state, where the schema lets it be."""
        state, at = self._random.choice(["open", "seen", "declined", "expired", "ordered"]), self._moment()
        values = {
            "offer": offer_id,
            "decision": f"dec_{offer_id}",
            "customer": thing.customer_id or CUSTOMERS[0],
            "kind": thing.subject.kind,
            "key": thing.subject.key,
            "device": thing.subject.device_id,
            "installation": thing.subject.installation_id,
            "sku": thing.sku,
            "state": state,
            "at": at,
        }
        if state in ("open", "seen") and select_facts(self._conn, [thing], AT)[0].open_offer is not None:
            return
        self._conn.execute(
            "insert into decision (decision_id, customer_id, trigger, subject_kind, subject_key, device_id,"
            " installation_id, sku, decided_at, last_at, outcome, candidates, gates, policy) values (%(decision)s,"
            " %(customer)s, 'depletion', %(kind)s, %(key)s, %(device)s, %(installation)s, %(sku)s, %(at)s, %(at)s,"
            " 'issued', '[]', '[]', 'rules-1')",
            values,
        )
        self._conn.execute(
            "insert into offer (offer_id, decision_id, customer_id, subject_kind, subject_key, device_id,"
            " installation_id, sku, reason_code, facts, state, list_price_minor, price_minor, currency, valid_from,"
            " reply_by, valid_until, issued_at) values (%(offer)s, %(decision)s, %(customer)s, %(kind)s, %(key)s,"
            " %(device)s, %(installation)s, %(sku)s, 'depletion', '{}', %(state)s, 9, 9, 'EUR', %(at)s, %(at)s, %(at)s,"
            " %(at)s)",
            values,
        )
        self._conn.execute("insert into offer_event values (%(offer)s, %(state)s, %(at)s, 'test')", values)


def ask_alone(conn: WriteConnection, thing: Thing) -> Facts:
    values = {
        "customer_id": thing.customer_id,
        "device_id": thing.subject.device_id,
        "installation_id": thing.subject.installation_id,
        "sku": thing.sku,
        "at": AT,
    }
    row = conn.execute(PLAIN_FACTS, values).fetchone()
    assert row is not None
    return Facts(*row)


@pytest.mark.parametrize("seed", range(6))
def test_facts_asked_for_together_are_those_asked_for_alone(conn: WriteConnection, seed: int) -> None:
    lives = Lives(conn, seed)
    together = select_facts(conn, lives.things, AT)
    assert together == [ask_alone(conn, thing) for thing in lives.things]
    assert select_facts(conn, lives.things[:1], AT) == together[:1]


def test_the_random_lives_have_every_fact_in_them(conn: WriteConnection) -> None:
    """A past in which a fact is never there would prove nothing of it."""
    seen: list[set[object]] = [set() for _ in astuple(NOTHING)]
    for seed in range(6):
        with conn.transaction(force_rollback=True):
            for facts in select_facts(conn, Lives(conn, seed).things, AT):
                for values, value in zip(seen, astuple(facts), strict=True):
                    values.add(value)
    assert [len(values) > 1 for values in seen] == [True] * len(seen)


NOTHING = Facts(None, None, None, None, spare=0, rank=0, owned=False, replaced=False)
