"""A condition as SQL. Its shape comes from texts of ours alone; whatever an operator wrote is a parameter."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, LiteralString, assert_never

from psycopg import sql

from customers.nouns import Purpose
from segments.conditions.fields import FIELDS, OPERATORS
from segments.conditions.nouns import (
    Agrees,
    Bought,
    Compare,
    Condition,
    Did,
    Every,
    InSegment,
    Interest,
    Not,
    Propensity,
)

_IN: LiteralString = "c.customer_id in ("
_OF: LiteralString = "(%(customer_ids)s::text[] is null or {0} = any(%(customer_ids)s::text[]))"
_SINCE: LiteralString = " > %(at)s::timestamptz - {days} * interval '1 day'"
_UNTIL: LiteralString = " <= %(at)s::timestamptz"
_ENOUGH: LiteralString = " group by 1 having count(*) >= {least})"
_SALES: LiteralString = (
    "sale s join person p on p.known_as = s.customer_id where s.placed_at" + _SINCE + " and s.placed_at" + _UNTIL + ""
    " and s.refunded_minor < s.amount_minor and exists (select from order_line l join product d using (sku)"
    " where l.order_id = s.order_id and {what})"
)
_EVENTS: LiteralString = (
    "customer_event e left join product d using (sku)"
    " where e.name = {event} and e.happened_at" + _SINCE + " and e.happened_at" + _UNTIL + " and {what}"
)
_BOUGHT: LiteralString = _IN + "select p.customer_id from " + _SALES + " and {of}" + _ENOUGH
_DID: LiteralString = _IN + "select e.customer_id from " + _EVENTS + " and {of}" + _ENOUGH
_ORDERS_OF_ONE: LiteralString = (
    "array(select s.order_id from " + _SALES + " and p.customer_id = c.customer_id order by s.placed_at desc limit 10)"
)
_EVENTS_OF_ONE: LiteralString = (
    "array(select e.event_id from "
    + _EVENTS
    + " and e.customer_id = c.customer_id order by e.happened_at desc limit 10)"
)
_NOT_STRUCK_OUT: LiteralString = (
    "not exists (select from objected_tag o where o.customer_id = c.customer_id and o.tag = {category})"
)
_INTEREST: LiteralString = "((f.interests ->> {category})::double precision >= {least} and " + _NOT_STRUCK_OUT + ")"
_PROPENSITY: LiteralString = (
    "(exists (select from category_propensity y where y.customer_id = c.customer_id and y.category = {category}"
    " and y.propensity >= {least}) and " + _NOT_STRUCK_OUT + ")"
)
_SEGMENT: LiteralString = (
    "exists (select from segment_member n where n.segment_id = {segment} and n.customer_id = c.customer_id"
    " and n.until_at is null)"
)
_AGREES: LiteralString = (
    _IN + "select h.customer_id from consents_in_force(coalesce(%(customer_ids)s::text[],"
    " array(select w.customer_id from customer w where w.merged_into is null)), %(asked_at)s::timestamptz) h"
    " where h.purpose = {purpose})"
)


@dataclass(frozen=True, slots=True)
class Compiled:
    """`test` is true of a row of `c`, `f` and `v`; `evidence` is JSON of what it saw there.

    `values` are its parameters, beside `at`, `asked_at` and `customer_ids` (null: of everybody). `needs` are the
    purposes that must hold of who is looked at, `refers` the segments that it names.
    """

    test: sql.Composable
    evidence: sql.Composable
    values: dict[str, Any]
    needs: frozenset[Purpose]
    refers: frozenset[str]


@dataclass
class _Gathered:
    values: dict[str, Any] = field(default_factory=dict)
    needs: set[Purpose] = field(default_factory=set)
    refers: set[str] = field(default_factory=set)
    evidence: dict[str, sql.Composable] = field(default_factory=dict)

    def put(self, value: Any) -> sql.Composable:
        name = f"p{len(self.values)}"
        self.values[name] = value
        return sql.Placeholder(name)


def compile_condition(condition: Condition) -> Compiled:
    """One SQL for one condition."""
    gathered = _Gathered()
    test = _compile(condition, gathered)
    return Compiled(
        test,
        _evidence(gathered.evidence.items()),
        gathered.values,
        frozenset(gathered.needs),
        frozenset(gathered.refers),
    )


def _compile(condition: Condition, to: _Gathered) -> sql.Composable:
    match condition:
        case Every(word, parts):
            joined = sql.SQL(" and " if word == "and" else " or ").join([_compile(part, to) for part in parts])
            return sql.SQL("({})").format(joined)
        case Not(part):
            # What is not known is not so: who has no value of a field fits no condition on it, but its opposite.
            return sql.SQL("({} is not true)").format(_compile(part, to))
        case Compare():
            return _compile_compare(condition, to)
        case Bought() | Did():
            return _compile_window(condition, to)
        case Interest():
            to.needs.add(Purpose.PERSONALISATION)
            return _compile_interest(condition, to)
        case Propensity(category, least):
            to.needs.add(Purpose.PERSONALISATION)
            return sql.SQL(_PROPENSITY).format(category=_text(category, to), least=_real(least, to))
        case InSegment(segment_id):
            to.refers.add(segment_id)
            return sql.SQL(_SEGMENT).format(segment=_text(segment_id, to))
        case Agrees(purpose):
            return sql.SQL(_AGREES).format(purpose=_text(purpose.value, to))
        case _:
            assert_never(condition)


def _compile_compare(asked: Compare, to: _Gathered) -> sql.Composable:
    known = FIELDS[asked.field]
    to.needs.update([known.needs] if known.needs else [])
    value = sql.SQL(known.sql).format(currency=_text(asked.currency or "", to))
    to.evidence[asked.field] = value
    to.evidence |= {name.removeprefix("f."): sql.SQL(name) for name in known.evidence}
    match asked.op:
        case "has":
            return sql.SQL("({} = any({}))").format(_text(asked.value, to), value)
        case "has_any":
            return sql.SQL("({} && {}::text[])").format(value, to.put(list(_texts(asked.value))))
        case "in":
            return sql.SQL("({} = any({}::text[]))").format(value, to.put(list(_texts(asked.value))))
    literal = _text(asked.value, to) if isinstance(asked.value, str) else _real(asked.value, to)
    return sql.SQL("({} {} {})").format(value, sql.SQL(OPERATORS[known.kind][asked.op]), literal)


def _compile_window(asked: Bought | Did, to: _Gathered) -> sql.Composable:
    to.needs.add(Purpose.PERSONALISATION)
    column: LiteralString = "l.sku = {}" if isinstance(asked, Bought) else "e.sku = {}"
    what: sql.Composable = sql.SQL("true")
    if asked.category is not None:
        what = sql.SQL("d.category = {}").format(_text(asked.category, to))
    elif asked.sku is not None:
        what = sql.SQL(column).format(_text(asked.sku, to))
    parts = {"what": what, "days": sql.SQL("{}::integer").format(to.put(asked.within_days))}
    least = to.put(asked.at_least)
    if isinstance(asked, Bought):
        to.evidence[f"orders_{len(to.evidence)}"] = sql.SQL(_ORDERS_OF_ONE).format(**parts)
        of = sql.SQL(_OF).format(sql.SQL("p.customer_id"))
        return sql.SQL(_BOUGHT).format(**parts, of=of, least=least)
    parts["event"] = _text(asked.event, to)
    to.evidence[f"events_{len(to.evidence)}"] = sql.SQL(_EVENTS_OF_ONE).format(**parts)
    return sql.SQL(_DID).format(**parts, of=sql.SQL(_OF).format(sql.SQL("e.customer_id")), least=least)


def _compile_interest(asked: Interest, to: _Gathered) -> sql.Composable:
    category = _text(asked.category, to)
    to.evidence["interest"] = sql.SQL("jsonb_build_object({0}, f.interests -> {0})").format(category)
    return sql.SQL(_INTEREST).format(category=category, least=_real(asked.at_least, to))


def _evidence(seen: Iterable[tuple[str, sql.Composable]]) -> sql.Composable:
    """A JSON object of what was seen; the names are fields of ours."""
    pairs = [sql.SQL("{}, {}").format(sql.Literal(name), value) for name, value in seen]
    return sql.SQL("jsonb_strip_nulls(jsonb_build_object({}))").format(sql.SQL(", ").join(pairs))


def _text(value: Any, to: _Gathered) -> sql.Composable:
    return sql.SQL("{}::text").format(to.put(value))


def _real(value: Any, to: _Gathered) -> sql.Composable:
    return sql.SQL("{}::double precision").format(to.put(value))


def _texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
