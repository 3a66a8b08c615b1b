"""Purposes as data: what ships, what an operator words, and that what was told stays."""

from datetime import timedelta
from typing import Any

import pytest
import yaml

from customers.consent import agrees_to, record_consent
from customers.nouns import Basis, Purpose
from customers.purposes import PurposeFile, load_purposes, seed_purposes, select_purposes, shipped_purposes
from customers.tags import allow_tag, object_to_tag, select_objected_tags
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput
from millpond.kernel.migrate import migrate
from millpond.kernel.yaml_file import read_yaml
from tests.old_database import OLD_AT, old_database
from tests.people import AT, make_customer, merge

WORDS = {"en": "Ours.", "ko": "저희.", "zh": "我们的。"}
OWN: dict[str, Any] = {"purpose": "research", "version": 2, "basis": "consent"}
OWN |= dict.fromkeys(("words", "uses", "keeps"), WORDS)


def load(conn: WriteConnection, *entries: dict[str, Any]) -> list[tuple[Purpose, int]]:
    return load_purposes(conn, yaml.safe_dump({"purposes": entries}, allow_unicode=True), "own.yaml", at=AT)


def test_every_purpose_that_ships_says_what_is_used_and_how_long_in_every_language(conn: WriteConnection) -> None:
    kept = select_purposes(conn)
    assert {each.purpose for each in kept} == set(Purpose)
    for each in kept:
        for words in (each.words, each.uses, each.keeps):
            assert words is not None
            assert words.keys() == {"en", "ko", "zh"}
    assert {(each.purpose, each.version) for each in shipped_purposes().purposes} == {
        (each.purpose, each.version) for each in kept
    }


def test_taking_in_what_ships_again_changes_nothing(conn: WriteConnection) -> None:
    before = select_purposes(conn)
    seed_purposes(conn, at=AT)
    assert select_purposes(conn) == before


def test_an_operators_words_are_a_new_version_that_everybody_is_asked_for_again(conn: WriteConnection) -> None:
    kim = make_customer(conn).customer_id
    record_consent(conn, kim, Purpose.RESEARCH, version=1, given=True, at=AT, source="app", evidence={})
    assert agrees_to(conn, kim, Purpose.RESEARCH, AT)
    assert load(conn, OWN) == [(Purpose.RESEARCH, 2)]
    assert load(conn, OWN) == []
    assert not agrees_to(conn, kim, Purpose.RESEARCH, AT)
    newest = [each for each in select_purposes(conn) if each.purpose is Purpose.RESEARCH][-1]
    assert (newest.words, newest.basis, newest.own, newest.valid_from) == (WORDS, Basis.CONSENT, True, AT)


def test_what_ships_has_no_say_in_a_purpose_that_an_operator_has_worded(
    conn: WriteConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(conn, OWN)
    shipped = [OWN | {"version": 3}, OWN | {"purpose": "location"}]
    newer = read_yaml(PurposeFile, yaml.safe_dump({"purposes": shipped}), "purposes.yaml")
    monkeypatch.setattr("customers.purposes.shipped_purposes", lambda: newer)
    seed_purposes(conn, at=AT + timedelta(days=1))
    versions = {(each.purpose, each.version) for each in select_purposes(conn)}
    assert (Purpose.RESEARCH, 3) not in versions
    assert (Purpose.LOCATION, 2) in versions


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (OWN | {"version": 1}, "version 1 of research stays as it was told: make it version 2"),
        (OWN | {"version": 3}, "the next one is version 2"),
        (OWN | {"purpose": "everything"}, "purposes.1.purpose"),
        (OWN | {"words": {"en": "Ours."}}, "purposes.1.words.ko"),
        (OWN | {"basis": "habit"}, "purposes.1.basis"),
        (OWN | {"wrods": WORDS}, "purposes.1.wrods"),
    ],
)
def test_words_that_cannot_be_taken_in_are_refused_with_a_sentence(
    conn: WriteConnection, entry: dict[str, Any], says: str
) -> None:
    before = select_purposes(conn)
    with pytest.raises(InvalidInput, match=says):
        load(conn, OWN | {"purpose": "location"}, entry)
    assert select_purposes(conn) == before


def test_one_version_twice_in_a_file_is_refused(conn: WriteConnection) -> None:
    with pytest.raises(InvalidInput, match="version 2 of research is there twice"):
        load(conn, OWN, OWN)


def test_an_old_databases_first_versions_are_completed_once(server_dsn: str) -> None:
    with old_database(server_dsn, "0255_") as conn:
        migrate(conn, at=OLD_AT)
        assert {each.uses for each in select_purposes(conn)} == {None}
        seed_purposes(conn, at=OLD_AT)
        kept = select_purposes(conn)
        assert all(each.uses and each.keeps for each in kept)
        assert {each.purpose for each in kept} == set(Purpose)


def test_an_interest_that_is_struck_out_is_so_for_the_whole_person_until_they_let_it_count(
    conn: WriteConnection,
) -> None:
    kim, old = make_customer(conn), make_customer(conn)
    object_to_tag(conn, old.customer_id, "tv", at=AT, source="web")
    object_to_tag(conn, old.customer_id, "tv", at=AT, source="web")
    assert select_objected_tags(conn, [kim.customer_id]) == {kim.customer_id: frozenset()}
    merge(conn, old, into=kim)
    assert select_objected_tags(conn, [kim.customer_id]) == {kim.customer_id: {"tv"}}
    allow_tag(conn, kim.customer_id, "tv")
    assert select_objected_tags(conn, [kim.customer_id]) == {kim.customer_id: frozenset()}
    with pytest.raises(InvalidInput, match="a tag has 1 to 200 characters"):
        object_to_tag(conn, kim.customer_id, "", at=AT, source="web")
