"""Conditions that an operator writes: a sentence for each mistake, and one SQL without a word of theirs."""

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.nouns import Purpose
from millpond.kernel.errors import InvalidInput
from segments.built_in import built_in
from segments.conditions.compiling import compile_condition
from segments.conditions.fields import FIELDS, OPERATORS, Kind
from segments.conditions.reading import DEPTH_MAX, PARTS_MAX, read_condition
from segments.conditions.schema import condition_schema

SCHEMA = jsonschema_rs.Draft202012Validator(condition_schema())
ORDERS: dict[str, Any] = {"field": "orders", "op": ">=", "value": 2}


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ([], r"^/: a condition is an object"),
        ({}, r"^/: say exactly one of and, or, not, field"),
        ({"field": "orders", "and": []}, r"^/: say exactly one of"),
        ({"and": []}, r"^/and: a list of at least one"),
        (
            {"and": [ORDERS, {"field": "shoe_size", "op": "=", "value": 1}]},
            r"^/and/1/field: there is no such field; .*orders",
        ),
        ({"field": "orders", "op": "like", "value": 1}, r"^/op: orders takes =, !=, <"),
        ({"field": "orders", "op": ">=", "value": "2"}, r"^/value: a number"),
        ({"field": "orders", "op": ">=", "value": True}, r"^/value: a number"),
        ({"field": "orders", "op": ">=", "value": float("nan")}, r"^/value: a number"),
        ({"not": {"field": "clv_minor", "op": ">=", "value": 1}}, r"^/not/currency: a text"),
        ({"field": "clv_minor", "op": ">=", "value": 1, "currency": "euro"}, r"^/currency: it does not match"),
        ({"field": "orders", "op": ">=", "value": 1, "currency": "EUR"}, r"^/currency: nothing of this name"),
        ({"field": "life_cycle", "op": "in", "value": ["new", "old"]}, r"^/value/1: it is one of no_order, new"),
        ({"field": "locale", "op": "=", "value": "a\x00b"}, r"^/value: a text"),
        ({"field": "locale", "op": "=", "value": "\ud800"}, r"^/value: a text"),
        ({"bought": {"within_days": 90}}, r"^/bought: say a category or a sku"),
        ({"bought": {"category": "a", "sku": "b", "within_days": 9}}, r"^/bought: say a category or a sku, not both"),
        ({"bought": {"category": "a", "within_days": 0}}, r"^/bought/within_days: a whole number from 1 to 730"),
        ({"did": {"event": "X", "within_days": 2, "a/b": 1}}, r"^/did/a~1b: nothing of this name"),
        ({"propensity": {"category": "a", "at_least": 2}}, r"^/propensity/at_least: a number from 0 to 1"),
        ({"consent": "everything"}, r"^/consent: it is one of service"),
        ({"segment": "x'; drop table"}, r"^/segment: it does not match"),
        ({"or": [ORDERS] * (PARTS_MAX + 1)}, r"^/or/59: a condition has at most 60 parts"),
    ],
)
def test_each_mistake_has_one_sentence_and_its_place(said: Any, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence) as caught:
        read_condition(said)
    assert len(str(caught.value)) < 1000


def test_a_condition_is_not_deeper_than_it_may_be() -> None:
    said = ORDERS
    for _ in range(DEPTH_MAX - 1):
        said = {"not": said}
    read_condition(said)
    with pytest.raises(InvalidInput, match=r"^(/not){8}: a condition is at most 8 deep"):
        read_condition({"not": said})


_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20)
_ANY = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 800), st.floats(-2, 2), _WORDS, st.just("new"), st.just("EUR")
)
_OPS = st.sampled_from(sorted({op for ops in OPERATORS.values() for op in ops}))


def _object(**of: Any) -> Any:
    return st.fixed_dictionaries({}, optional=of)


_LEAVES = st.one_of(
    _object(field=st.sampled_from([*FIELDS, "x"]), op=_OPS, value=_ANY | st.lists(_ANY, max_size=3), currency=_ANY),
    st.fixed_dictionaries({"field": st.sampled_from(list(FIELDS)), "op": _OPS, "value": st.integers(1, 5)}),
    _object(bought=_object(category=_ANY, sku=_ANY, within_days=_ANY, at_least=_ANY)),
    _object(did=_object(event=_ANY, category=_ANY, within_days=_ANY, at_least=_ANY)),
    _object(interest=_object(category=_ANY, at_least=_ANY), propensity=_object(category=_ANY, at_least=_ANY)),
    _object(segment=_ANY, consent=st.sampled_from([*Purpose, "x"])),
    _ANY,
)
_CONDITIONS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(_object(**{"and": st.lists(inner, max_size=3)}), _object(**{"not": inner})),
    max_leaves=6,
)


@given(_CONDITIONS)
def test_the_published_schema_and_the_reading_are_of_one_mind(said: Any) -> None:
    try:
        read_condition(said)
        read = True
    except InvalidInput as error:
        read = "a condition is at most" in str(error) or "a condition has at most" in str(error)
    assert SCHEMA.is_valid(said) == read


def test_what_ships_is_valid() -> None:
    for entry in built_in().segments:
        assert SCHEMA.is_valid(entry.condition)
    assert {"gift_buyer", "value_seeker", "trend_follower"} <= {entry.name for entry in built_in().segments}


def test_the_schema_of_schemas_holds() -> None:
    assert jsonschema_rs.meta.is_valid(condition_schema())


def test_no_word_of_an_operator_is_in_the_sql() -> None:
    evil = "'; drop table customer --"
    said = {
        "and": [
            {"field": "locale", "op": "=", "value": evil},
            {"field": "channels", "op": "has_any", "value": ["app"]},
            {"field": "models", "op": "has", "value": evil},
            {"field": "spent_minor", "op": ">=", "value": 4242, "currency": "KRW"},
            {"bought": {"category": evil, "within_days": 91}},
            {"did": {"event": evil, "sku": evil, "within_days": 92, "at_least": 93}},
            {"interest": {"category": evil, "at_least": 94}},
            {"propensity": {"category": evil, "at_least": 0.95}},
            {"segment": "evil_segment"},
            {"consent": "research"},
        ]
    }
    compiled = compile_condition(read_condition(said))
    text = compiled.test.as_string(None) + compiled.evidence.as_string(None)
    for word in (evil, "drop", "4242", "KRW", "91", "92", "93", "94", "0.95", "evil_segment", "research"):
        assert word not in text
    assert evil in compiled.values.values()
    assert compiled.needs == {Purpose.PERSONALISATION, Purpose.DEVICE_PROFILING}
    assert compiled.refers == {"evil_segment"}


def test_every_field_says_what_it_is() -> None:
    assert all(field.says for field in FIELDS.values())
    assert {field.kind for field in FIELDS.values()} == set(Kind)
