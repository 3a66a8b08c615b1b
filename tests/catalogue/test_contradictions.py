"""What in the compatibility graph cannot be, each in one sentence."""

import pytest

from catalogue.contradictions import find_contradictions
from catalogue.graph import select_edges
from catalogue.nouns import CompatibilityEdge, Relation, UsedConsumable
from devices.store import select_used_consumables
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import Sku

R = Relation


def edge(from_sku: str, relation: Relation, to_sku: str) -> CompatibilityEdge:
    return CompatibilityEdge(Sku(from_sku), Sku(to_sku), relation, 1.0, None, "tested")


def told(edges: list[CompatibilityEdge], *used: UsedConsumable) -> list[str]:
    return [each.sentence for each in find_contradictions(edges, used)]


def test_what_ships_contradicts_nothing(conn: WriteConnection) -> None:
    edges, used = select_edges(conn), select_used_consumables(conn)
    assert (len(edges) > 10, len(used) > 5) == (True, True)
    assert find_contradictions(edges, used) == []


@pytest.mark.parametrize("no", [edge("TV", R.INCOMPATIBLE, "LAMP"), edge("LAMP", R.INCOMPATIBLE, "TV")])
@pytest.mark.parametrize("relation", [R.ACCESSORY, R.REQUIRED_PART, R.PART_OF_SET, R.OFTEN_BOUGHT_WITH])
def test_what_is_incompatible_does_not_fit_either(no: CompatibilityEdge, relation: Relation) -> None:
    sentence = f"TV to LAMP is {relation} (tested), yet the two are incompatible (tested)"
    assert told([edge("TV", relation, "LAMP"), no]) == [sentence]


def test_one_that_stands_in_for_another_need_not_go_together_with_it() -> None:
    assert told([edge("A", R.SUBSTITUTE, "B"), edge("A", R.INCOMPATIBLE, "B")]) == []


def test_nothing_is_joined_to_itself() -> None:
    assert told([edge("A", R.ACCESSORY, "A")]) == ["A is joined to itself as accessory"]


@pytest.mark.parametrize(
    ("pairs", "sentences"),
    [
        (["AB", "BC"], []),
        (["AB", "BA"], ["A needs B needs A"]),
        (["AB", "BC", "CA", "AX", "YA"], ["A needs B needs C needs A"]),
        (["AB", "BA", "CD", "DC"], ["A needs B needs A", "C needs D needs C"]),
        (["AB", "BC", "CB"], ["B needs C needs B"]),
        (["AA"], []),
    ],
)
def test_required_parts_do_not_go_round_in_a_circle(pairs: list[str], sentences: list[str]) -> None:
    found = find_contradictions([edge(pair[0], R.REQUIRED_PART, pair[1]) for pair in pairs], [])
    circles = [each.sentence for each in found if each.kind == "circle"]
    assert circles == [f"required parts go round in a circle: {sentence}" for sentence in sentences]


def test_what_is_in_one_set_goes_together() -> None:
    of_a_set = [edge("SET", R.PART_OF_SET, member) for member in ("A", "B", "C")]
    assert told([*of_a_set, edge("C", R.INCOMPATIBLE, "A")]) == [
        "A and C are in a set with SET, yet the two are incompatible (tested)"
    ]
    assert told([*of_a_set, edge("C", R.INCOMPATIBLE, "X")]) == []


def test_a_consumable_is_one_that_a_model_uses() -> None:
    air = UsedConsumable("air", Sku("AIR"), Sku("HEPA"))
    edges = [edge("AIR", R.CONSUMABLE_FOR, "HEPA"), edge("AIR", R.CONSUMABLE_FOR, "BAG")]
    assert told(edges, air) == ["BAG is a consumable for AIR, yet no device model has a place for it"]


@pytest.mark.parametrize("pair", [("AIR", "HEPA"), ("HEPA", "AIR")])
def test_a_model_uses_nothing_that_is_incompatible_with_it(pair: tuple[str, str]) -> None:
    no = edge(pair[0], R.INCOMPATIBLE, pair[1])
    assert told([no], UsedConsumable("air", None, Sku("HEPA"))) == []
    assert told([no], UsedConsumable("air", Sku("AIR"), Sku("HEPA"))) == [
        "device model air, sold as AIR, has a place for HEPA, yet the two are incompatible (tested)"
    ]
