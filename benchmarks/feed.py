"""A hundred thousand customers with offers, and how quickly one of them is shown theirs."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from api.auth import Role, mint_token
from benchmarks.http_load import Asks, Load, bare_served, measure, served
from millpond.kernel.db import WriteConnection

# Each new customer gets copies of one to three of the offers that somebody has, about no device of their own: all that
# the feed reads is there, and nothing else.
_FILL = """
with one as (
    select o.*, row_number() over () as place from offer o
    where o.customer_id = (select customer_id from offer group by customer_id order by count(*) desc limit 1)
), new as (
    select n, 'cus_' || left(md5('customer ' || n), 20) as customer_id from generate_series(1, %(customers)s) n
), opened as (
    insert into customer (customer_id, name, locale, time_zone, created_at)
    select customer_id, 'Customer ' || n, (array['en', 'ko', 'zh'])[1 + n %% 3], 'Europe/Berlin', %(at)s from new
), copy as (
    select new.customer_id, one.place, left(md5(new.customer_id || one.place), 20) as key, one.offer_id, one.decision_id
    from new join one on one.place <= 1 + n %% 3
), decided as (
    insert into decision (decision_id, customer_id, trigger, subject_kind, subject_key, sku, decided_at, outcome,
                          candidates, gates, policy, score, propensity, last_at)
    select 'dec_' || c.key, c.customer_id, d.trigger, 'copy', c.customer_id || c.place, d.sku, d.decided_at, d.outcome,
           '[]', '[]', d.policy, d.score, d.propensity, d.last_at
    from copy c join decision d using (decision_id)
)
insert into offer (offer_id, decision_id, customer_id, subject_kind, subject_key, sku, reason_code, facts, state,
                   list_price_minor, price_minor, currency, valid_from, reply_by, valid_until, credited_to, issued_at)
select 'off_' || c.key, 'dec_' || c.key, c.customer_id, 'copy', c.customer_id || c.place, o.sku, o.reason_code, o.facts,
       o.state, o.list_price_minor, o.price_minor, o.currency, o.valid_from, o.reply_by, o.valid_until, o.credited_to,
       o.issued_at
from copy c join offer o using (offer_id)
"""
_ASKING = "select customer_id from customer where name like 'Customer %%' order by md5(customer_id) limit %(asking)s"


def fill_customers(conn: WriteConnection, customers: int, at: datetime) -> None:
    """Open the accounts of that many more customers, each with one to three offers like those there are."""
    with conn.transaction():
        conn.execute(_FILL, {"customers": customers, "at": at})
    conn.execute("analyze")


def select_asking(conn: WriteConnection, asking: int) -> list[str]:
    """The ids of those who ask, from all over the table."""
    return [row[0] for row in conn.execute(_ASKING, {"asking": asking})]


def ask(
    dsn: str, people: Sequence[str], *, rounds: int, seconds: int, connections: int, at: datetime
) -> dict[str, Load]:
    """What the feed, /healthz and bare endpoints come to: each in turn, so that all see the same machine.

    `async` and `def` are bare endpoints under uvicorn as we configure it, `async_h11` and `def_h11` under its parts in
    Python alone.
    """
    with (
        served(dsn) as ours,
        bare_served(loop="uvloop", http="httptools") as fast,
        bare_served(loop="asyncio", http="h11") as slow,
    ):
        feeds = [
            (f"/v1/customers/{customer_id}/offers", _token(ours.secret, customer_id, at)) for customer_id in people
        ]
        loads = {
            "async": Asks(fast, [("/async", "")]),
            "healthz": Asks(ours.port, [("/healthz", "")]),
            "def": Asks(fast, [("/def", "")]),
            "feed": Asks(ours.port, feeds),
            "async_h11": Asks(slow, [("/async", "")]),
            "def_h11": Asks(slow, [("/def", "")]),
        }
        return measure(loads, rounds=rounds, seconds=seconds, connections=connections)


def _token(secret: str, customer_id: str, at: datetime) -> str:
    return mint_token(secret, Role.CUSTOMER, customer_id, at, timedelta(hours=1))
