"""What in the compatibility graph cannot be. Pure: the edges, and which consumables the device models use, come in."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from catalogue.nouns import CompatibilityEdge, Relation, UsedConsumable
from millpond.kernel.ids import Sku

_FITS = set(Relation) - {Relation.INCOMPATIBLE, Relation.SUBSTITUTE}
"""Relations that join two products. One that stands in for another need not go together with it."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One sentence on something that cannot be; `kind` says in a few words which sort of thing."""

    kind: str
    sentence: str


def find_contradictions(edges: Sequence[CompatibilityEdge], used: Collection[UsedConsumable]) -> list[Contradiction]:
    """All of them, sort by sort."""
    refused = {frozenset((e.from_sku, e.to_sku)): e for e in edges if e.relation is Relation.INCOMPATIBLE}
    return [
        *_joined_to_itself(edges),
        *_fits_and_does_not(edges, refused),
        *_sets_at_odds(edges, refused),
        *_required_in_a_circle(edges),
        *_used_by_no_model(edges, {each.sku for each in used}),
        *_models_at_odds(used, refused),
    ]


_Refused = Mapping[frozenset[Sku], CompatibilityEdge]


def _joined_to_itself(edges: Sequence[CompatibilityEdge]) -> Iterator[Contradiction]:
    for edge in edges:
        if edge.from_sku == edge.to_sku:
            yield Contradiction("itself", f"{edge.from_sku} is joined to itself as {edge.relation}")


def _fits_and_does_not(edges: Sequence[CompatibilityEdge], refused: _Refused) -> Iterator[Contradiction]:
    for edge in edges:
        no = refused.get(frozenset((edge.from_sku, edge.to_sku)))
        if no is not None and edge.relation in _FITS:
            says = f"{edge.from_sku} to {edge.to_sku} is {edge.relation} ({edge.evidence})"
            yield Contradiction("fits and does not", f"{says}, yet the two are incompatible ({no.evidence})")


def _sets_at_odds(edges: Sequence[CompatibilityEdge], refused: _Refused) -> Iterator[Contradiction]:
    """Products in a set with the same one must go together with each other too."""
    for first, members in _group(edges, Relation.PART_OF_SET).items():
        for one, other in combinations(members, 2):
            if no := refused.get(frozenset((one, other))):
                says = f"{one} and {other} are in a set with {first}"
                yield Contradiction("set at odds", f"{says}, yet the two are incompatible ({no.evidence})")


def _required_in_a_circle(edges: Sequence[CompatibilityEdge]) -> Iterator[Contradiction]:
    needs = {sku: set(others) - {sku} for sku, others in _group(edges, Relation.REQUIRED_PART).items()}
    while needs := _without_ends(needs):
        circle = _walk_a_circle(needs)
        yield Contradiction("circle", f"required parts go round in a circle: {' needs '.join([*circle, circle[0]])}")
        needs = {sku: others for sku, others in needs.items() if sku not in circle}


def _without_ends(needs: Mapping[Sku, set[Sku]]) -> dict[Sku, set[Sku]]:
    """Only what needs something that itself needs something, and so on: each is in a circle or leads to one."""
    left = dict(needs)
    while True:
        kept = {sku: inner for sku, others in left.items() if (inner := others & left.keys())}
        if kept == left:
            return kept
        left = kept


def _walk_a_circle(needs: Mapping[Sku, set[Sku]]) -> list[Sku]:
    walked = [min(needs)]
    while (following := min(needs[walked[-1]])) not in walked:
        walked.append(following)
    return walked[walked.index(following) :]


def _used_by_no_model(edges: Sequence[CompatibilityEdge], used: Collection[Sku]) -> Iterator[Contradiction]:
    for edge in edges:
        if edge.relation is Relation.CONSUMABLE_FOR and edge.to_sku not in used:
            says = f"{edge.to_sku} is a consumable for {edge.from_sku}"
            yield Contradiction("used by no model", f"{says}, yet no device model has a place for it")


def _models_at_odds(used: Collection[UsedConsumable], refused: _Refused) -> Iterator[Contradiction]:
    for each in used:
        no = refused.get(frozenset((each.model_sku, each.sku))) if each.model_sku else None
        if no is not None:
            says = f"device model {each.model}, sold as {each.model_sku}, has a place for {each.sku}"
            yield Contradiction("model at odds", f"{says}, yet the two are incompatible ({no.evidence})")


def _group(edges: Sequence[CompatibilityEdge], relation: Relation) -> dict[Sku, list[Sku]]:
    """The other ends of a relation's edges, by the one that they come from; both in order."""
    grouped: dict[Sku, list[Sku]] = defaultdict(list)
    for edge in sorted(edges, key=lambda each: (each.from_sku, each.to_sku)):
        if edge.relation is relation:
            grouped[edge.from_sku].append(edge.to_sku)
    return grouped
