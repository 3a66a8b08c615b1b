"""A household's candidates together: each judged, those that passed ranked to a slate, and the slate made offers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from millpond.kernel.ids import OfferId, new_id
from offers.causes import Candidate
from offers.decide import decide_offer
from offers.nouns import Place, Rules
from offers.triggers.union import compute_score
from offers.verdict import Ruling, Situation, Verdict


def decide_household(situations: Sequence[Situation], *, at: datetime, rules: Rules) -> list[Ruling]:
    """One ruling for each candidate: the noes, and the slate, the most urgent first.

    The same in the same situations, but for the random ids of the slate and its offers.
    """
    judged = [(situation, decide_offer(situation, at=at, rules=rules)) for situation in situations]
    noes = [Ruling(situation, verdict) for situation, verdict in judged if verdict.terms is None]
    passed = [pair for pair in judged if pair[1].terms is not None]
    if not noes or not passed:
        return noes or _make_slate(passed, at, rules)
    slate = _make_slate(passed, at, rules)
    return _tell_noes_of(slate, noes, situations, at, rules) + slate


def _tell_noes_of(
    slate: Sequence[Ruling], noes: Sequence[Ruling], situations: Sequence[Situation], at: datetime, rules: Rules
) -> list[Ruling]:
    """The noes again: one that comes after an offer of the same thing is one because of that offer too."""
    places = {id(situation): place for place, situation in enumerate(situations)}
    opened = {
        key: (ruling.offer_id, places[id(ruling.situation)])
        for ruling in slate
        if ruling.offer_id is not None
        for key in _open_once(ruling.situation.candidate)
    }
    told = []
    for no in noes:
        earlier = next((opened[key] for key in _open_once(no.situation.candidate) if key in opened), None)
        is_after = earlier is not None and earlier[1] < places[id(no.situation)]
        told.append(_refuse_beside(no.situation, earlier[0], at, rules) if earlier and is_after else no)
    return told


def _refuse_beside(situation: Situation, open_offer: OfferId, at: datetime, rules: Rules) -> Ruling:
    """A no because of an offer that is open since a moment ago, beside all others."""
    open_now = replace(situation, facts=replace(situation.facts, open_offer=open_offer))
    return Ruling(open_now, decide_offer(open_now, at=at, rules=rules))


def _make_slate(passed: Sequence[tuple[Situation, Verdict]], at: datetime, rules: Rules) -> list[Ruling]:
    """Rank; of two that the schema does not let be open at once, the later becomes a no because of the earlier."""
    slate_id, position = new_id("slt"), 0
    taken: dict[tuple[object, ...], OfferId] = {}
    rulings = []
    for score, situation, verdict in _rank(passed, at, rules):
        keys = _open_once(situation.candidate)
        earlier = next((taken[key] for key in keys if key in taken), None)
        if earlier is not None:
            rulings.append(_refuse_beside(situation, earlier, at, rules))
            continue
        position += 1
        offer_id = OfferId(new_id("off"))
        taken |= dict.fromkeys(keys, offer_id)
        rulings.append(Ruling(situation, verdict, score, Place(slate_id, position), offer_id))
    return rulings


def _rank(
    passed: Sequence[tuple[Situation, Verdict]], at: datetime, rules: Rules
) -> list[tuple[float, Situation, Verdict]]:
    """The highest score first; equals stay in the order in which they came."""
    scored = [(compute_score(s.candidate.cause, at=at, rules=rules), s, verdict) for s, verdict in passed]
    return sorted(scored, key=lambda each: -each[0])


def _open_once(candidate: Candidate) -> list[tuple[object, ...]]:
    """What must have one open offer only, as the unique indexes of `offer` say it."""
    subject = candidate.subject
    if subject.device_id is None:
        return [(subject.kind, subject.key, candidate.sku)]
    of_device: tuple[object, ...] = (subject.device_id, candidate.sku)
    return [of_device] if subject.installation_id is None else [of_device, ("installation", subject.installation_id)]
