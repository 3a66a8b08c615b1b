"""The statements around a compiled condition: who fits it, what that would cost, who comes in and leaves."""

from collections.abc import Collection
from typing import Any, LiteralString

from psycopg import sql

from customers.nouns import Purpose
from segments.conditions.compiling import Compiled

_FROM: LiteralString = (
    "from customer c left join customer_profile f on f.customer_id = c.customer_id"
    " left join customer_value v on v.customer_id = c.customer_id "
)
_FITS: LiteralString = (
    _FROM + "where c.merged_into is null and c.erased_at is null"
    " and (%(customer_ids)s::text[] is null or c.customer_id = any(%(customer_ids)s::text[])) and {agrees} and {test}"
)
_COUNT: LiteralString = "select count(*) " + _FITS
_EXPLAIN: LiteralString = "explain (format json) select c.customer_id " + _FITS
_EXAMPLES: LiteralString = "select c.customer_id, {evidence} " + _FITS + " limit %(limit)s"
_MEMBERS: LiteralString = (
    "with fits as materialized (select c.customer_id " + _FITS + "), ended as ("
    "update segment_member m set until_at = %(at)s where m.segment_id = %(segment_id)s and m.until_at is null"
    " and (%(customer_ids)s::text[] is null or m.customer_id = any(%(customer_ids)s::text[]))"
    " and not exists (select from fits n where n.customer_id = m.customer_id) returning 1), begun as ("
    "insert into segment_member (segment_id, customer_id, from_at, evidence)"
    " select %(segment_id)s, c.customer_id, %(at)s, {evidence} " + _FROM + ""
    "where c.customer_id in (select n.customer_id from fits n except select m.customer_id from segment_member m"
    " where m.segment_id = %(segment_id)s and m.until_at is null)"
    " on conflict (segment_id, customer_id, from_at) do update set until_at = null, evidence = excluded.evidence"
    " returning 1)"
    " select (select count(*) from begun), (select count(*) from ended)"
)


def counting(compiled: Compiled, needs: Collection[Purpose]) -> sql.Composed:
    """How many fit."""
    return _around(_COUNT, compiled, needs)


def explaining(compiled: Compiled, needs: Collection[Purpose]) -> sql.Composed:
    """What it would cost to find who fits, and how many PostgreSQL expects."""
    return _around(_EXPLAIN, compiled, needs)


def showing(compiled: Compiled, needs: Collection[Purpose]) -> sql.Composed:
    """Some of who fits, with what was seen of them."""
    return _around(_EXAMPLES, compiled, needs)


def renewing(compiled: Compiled, needs: Collection[Purpose]) -> sql.Composed:
    """Bring a segment's members to who fits now; how many came and went."""
    return _around(_MEMBERS, compiled, needs)


def values_of(compiled: Compiled, **also: Any) -> dict[str, Any]:
    """The parameters: the condition's own, and what every one of these statements takes."""
    return compiled.values | {"customer_ids": None} | also


def _around(statement: LiteralString, compiled: Compiled, needs: Collection[Purpose]) -> sql.Composed:
    agreed: list[sql.Composable] = [sql.SQL("true")]
    agreed += [sql.SQL("f.behaviour")] if Purpose.PERSONALISATION in needs else []
    agreed += [sql.SQL("f.devices")] if Purpose.DEVICE_PROFILING in needs else []
    return sql.SQL(statement).format(
        test=compiled.test, evidence=compiled.evidence, agrees=sql.SQL(" and ").join(agreed)
    )
