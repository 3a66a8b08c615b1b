"""Customers with orders and events by the million: made by PostgreSQL itself, from a seed."""

from datetime import datetime

from millpond.kernel.db import WriteConnection

_ROWS: dict[str, str] = {
    "customers": """
        insert into customer (customer_id, name, locale, time_zone, created_at)
        select 'cus_' || lpad(n::text, 20, '0'), 'Kim', (array['en', 'ko', 'zh'])[1 + n %% 3], 'UTC',
               %(at)s::timestamptz - interval '400 days'
        from generate_series(1, %(customers)s) n""",
    "identifiers": """
        insert into identifier (namespace, key, seen_at)
        select 'external', customer_id, created_at from customer""",
    "links": """
        insert into customer_identifier (identifier_id, customer_id, valid_from, counts_from, because, evidence)
        select identifier_id, key, seen_at, '-infinity', 'registered', '{}' from identifier""",
    "orders": """
        insert into customer_order (order_id, customer_id, channel, amount_minor, currency, placed_at, created_at)
        select 'ord_' || o.n, 'cus_' || lpad((1 + o.n %% %(customers)s)::text, 20, '0'),
               (array['app', 'web'])[1 + o.n %% 2], 1 + (random() ^ 3 * 50000)::bigint, 'EUR', o.placed_at, o.placed_at
        from (select n, %(at)s::timestamptz - random() * interval '390 days' as placed_at
              from generate_series(1, 3 * %(customers)s::bigint) n) o""",
    "lines": """
        insert into order_line (order_id, line, sku, quantity, unit_price_minor)
        select order_id, 1, (array(select sku from product order by sku))[1 + abs(hashtext(order_id)) %% %(products)s],
               1, amount_minor from customer_order""",
    "events": """
        insert into event (source_id, message_id, call, name, happened_at, received_at, subject_id, sku, properties,
                           context)
        select 1, 'm' || e.n, 'track',
               (array['Product Viewed', 'Product Added', 'Order Completed'])[1 + (e.n / 3) %% 3], e.at, e.at,
               i.identifier_id,
               (array(select sku from product order by sku))[1 + abs(hashtext(e.n::text)) %% %(products)s],
               case e.n %% 5 when 0 then '{"gift": true, "order_id": "o"}'
                             else '{"price": 12.5, "currency": "EUR"}' end::jsonb,
               '{}'
        from (select n, %(at)s::timestamptz - random() * interval '300 days' as at
              from generate_series(1, 6 * %(customers)s::bigint) n) e
        join identifier i on i.key = 'cus_' || lpad((1 + e.n %% %(customers)s)::text, 20, '0')""",
}


def fill(conn: WriteConnection, customers: int, at: datetime, seed: int) -> dict[str, int]:
    """The rows, and how many of each there are."""
    row = conn.execute("select count(*) from product").fetchone()
    assert row is not None
    values = {"customers": customers, "at": at, "products": row[0]}
    # Millions of checks of what is true by its making would take longer than the rows.
    conn.execute("set session_replication_role = replica")
    conn.execute("select setseed(%s)", [seed / 1000])
    counts = {what: conn.execute(statement.encode(), values).rowcount for what, statement in _ROWS.items()}
    conn.execute("set session_replication_role = origin")
    conn.execute("vacuum analyze")
    return counts
