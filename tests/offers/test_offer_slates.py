"""A household's candidates are decided together: ranked to a slate, and every no on record."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from attribution.nouns import Channel, OrderItem
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import DeviceId, InstallationId, Sku
from offers.causes import Candidate
from offers.checkout import place_order
from offers.nouns import Decision, GateName, Outcome, Subject, Trigger
from offers.ownership import assign_device
from offers.ranking import urgency
from offers.slate import decide_household
from offers.store import select_decisions
from offers.triggers.union import compute_score
from offers.verdict import Ruling, Situation
from tests.household import DAY, LEAD, current_part, forecast, make_device, offers_of, run_job
from tests.offers.test_offers_decide import AGREED, CLEAR, CUSTOMER, EXTRA, NEW, PART, PRODUCT, RULES, worn
from tests.offers.test_offers_decide import AT as NOW
from tests.offers.test_offers_decide import DATES as DEPLETION_DATES
from tests.people import AT, make_customer, make_shop

MINUTE = timedelta(minutes=1)
TV = {"REED-SOUNDBAR-3", "REED-GLOW-STRIP-55"}


def decide(*candidates: Candidate) -> list[Ruling]:
    situations = [Situation(candidate, CLEAR, CUSTOMER, AGREED, PRODUCT) for candidate in candidates]
    return decide_household(situations, at=NOW, rules=RULES)


def part(number: int, *, days: float = 0, device: int = 0, sku: str = "REED-HEPA-H13") -> Candidate:
    """A part of device `device` (or of one of its own), used up `days` later than another."""
    dates = replace(DEPLETION_DATES, p10=DEPLETION_DATES.p10 + days * DAY)
    subject = Subject.of_part(DeviceId(device or number), InstallationId(number))
    return replace(worn(dates=dates), subject=subject, sku=Sku(sku))


def places(rulings: Sequence[Ruling]) -> list[tuple[str, int]]:
    return [(ruling.situation.candidate.subject.key, ruling.place.position) for ruling in rulings if ruling.place]


def test_what_passed_is_ranked_by_urgency_and_needs_come_before_extras() -> None:
    extra = replace(EXTRA, subject=Subject.of_device(DeviceId(9)), sku=Sku("BAR"))
    newer = replace(extra, subject=Subject.of_device(DeviceId(8)), cause=replace(NEW, device=NEW.device))
    newer = replace(newer, cause=replace(NEW, device=replace(NEW.device, installed_at=NOW)))
    rulings = decide(newer, extra, part(3), part(1, days=-2), part(2, days=-1))
    assert places(rulings) == [("1", 1), ("2", 2), ("3", 3), ("9", 4), ("8", 5)]
    assert len({ruling.place.slate_id for ruling in rulings if ruling.place}) == 1
    scores = [ruling.score for ruling in rulings if ruling.score is not None]
    assert scores == sorted(scores, reverse=True)
    assert scores == [compute_score(r.situation.candidate.cause, at=NOW, rules=RULES) for r in rulings]


def test_a_no_has_no_place_and_takes_none_from_another() -> None:
    early = part(1, days=30)
    rulings = decide(early, part(2))
    assert [(r.verdict.failed_gate, r.place is None, r.offer_id is None) for r in rulings] == [
        (GateName.DUE, True, True),
        (None, False, False),
    ]
    assert places(rulings) == [("2", 1)]


def test_of_two_that_must_not_be_open_at_once_the_more_urgent_is_offered() -> None:
    later, sooner = part(1, device=7), part(2, device=7, days=-1)
    first, second = decide(later, sooner)
    assert (first.situation.candidate, first.verdict.outcome) == (sooner, Outcome.ISSUED)
    assert (second.verdict.failed_gate, second.place) == (GateName.NO_OPEN_OFFER, None)
    [why] = [gate.why for gate in second.verdict.gates if not gate.passed]
    assert why == f"offer {first.offer_id} is open"


def test_a_device_and_a_part_of_it_are_not_offered_the_same_product_at_once() -> None:
    extra = replace(EXTRA, subject=PART.subject, sku=PART.sku)
    extra = replace(extra, subject=Subject.of_device(DeviceId(1)))
    assert [ruling.verdict.failed_gate for ruling in decide(extra, PART)] == [None, GateName.NO_OPEN_OFFER]


def test_a_no_that_comes_after_an_offer_of_the_same_thing_says_that_it_is_open() -> None:
    extra = replace(EXTRA, subject=Subject.of_device(DeviceId(1)), sku=PART.sku)
    owned = replace(CLEAR, owned=True)
    needed = Situation(PART, CLEAR, CUSTOMER, AGREED, PRODUCT)
    other = Situation(extra, owned, CUSTOMER, AGREED, PRODUCT)
    for situations, failed in (([needed, other], GateName.NO_OPEN_OFFER), ([other, needed], GateName.NOT_OWNED)):
        no, offered = decide_household(situations, at=NOW, rules=RULES)
        assert (no.verdict.failed_gate, no.offer_id) == (failed, None)
        assert offered.offer_id is not None
        assert [g.why for g in no.verdict.gates if g.gate is GateName.NO_OPEN_OFFER] == [
            f"offer {offered.offer_id} is open" if failed is GateName.NO_OPEN_OFFER else "no offer is open for it"
        ]


@given(days=st.lists(st.floats(-3000, 3000), min_size=2, max_size=2))
def test_urgency_rises_as_the_days_run_out_and_stays_between_none_and_one(days: list[float]) -> None:
    fewer, more = sorted(days)
    assert 0 <= urgency(more) <= urgency(fewer) <= 1


def kept(conn: WriteConnection, decision: Decision) -> tuple[object, ...]:
    return (decision.policy, decision.propensity, decision.place and decision.place.position)


def test_a_decision_says_by_which_policy_it_was_ranked_and_where(conn: WriteConnection) -> None:
    customer_id = make_shop(conn).customer.customer_id
    purifier = make_device(conn, "AIR-1", "reed-air-2", customer_id, AT - 200 * DAY)
    forecast(conn, current_part(conn, purifier), AT + LEAD.total - DAY, at=AT - DAY)
    make_device(conn, "TV-43", "reed-tv-43", customer_id, AT - DAY)
    make_device(conn, "TV-55", "reed-tv-55", customer_id, AT - DAY)
    run_job(conn, AT)
    decisions = {d.sku: d for d in select_decisions(conn, customer_id=customer_id) if d.outcome is Outcome.ISSUED}
    needed = decisions[Sku("REED-HEPA-H13")]
    assert kept(conn, needed) == ("rules-1", 1.0, 1)
    assert {kept(conn, decisions[Sku(sku)])[2] for sku in TV} == {2, 3}
    assert len({d.place.slate_id for d in decisions.values() if d.place}) == 1
    assert [d.score for d in decisions.values() if d.score is None or not 0 < d.score < 2] == []
    noes = [d for d in select_decisions(conn, customer_id=customer_id) if d.outcome is Outcome.NOT_ISSUED]
    assert {kept(conn, no) for no in noes} == {("rules-1", None, None)}


def test_two_households_have_two_slates(conn: WriteConnection) -> None:
    for number in range(2):
        make_device(conn, f"TV-{number}", "reed-tv-55", make_customer(conn).customer_id, AT)
    run_job(conn, AT + DAY)
    places = [decision.place for decision in select_decisions(conn)]
    assert sorted(place.position for place in places if place) == [1, 1, 2, 2]
    assert len({place.slate_id for place in places if place}) == 2


def test_a_no_that_is_said_again_is_counted_and_the_same_moment_once(conn: WriteConnection) -> None:
    customer_id = make_shop(conn).customer.customer_id
    part = current_part(conn, make_device(conn, "AIR-1", "reed-air-2", customer_id, AT - 200 * DAY))
    forecast(conn, part, None, at=AT - DAY)
    for minutes in (0, 1, 1, 2, 2):
        run_job(conn, AT + minutes * MINUTE)
    forecast(conn, part, AT + LEAD.total + DAY, at=AT + 3 * MINUTE)
    run_job(conn, AT + 4 * MINUTE)
    forecast(conn, part, None, at=AT + 5 * MINUTE)
    run_job(conn, AT + 6 * MINUTE)
    runs = [(d.failed_gate, d.decided_at, d.times, d.last_at) for d in select_decisions(conn, customer_id=customer_id)]
    assert runs == [
        (GateName.FORECAST_GOOD, AT + 6 * MINUTE, 1, AT + 6 * MINUTE),
        (GateName.DUE, AT + 4 * MINUTE, 1, AT + 4 * MINUTE),
        (GateName.FORECAST_GOOD, AT, 3, AT + 2 * MINUTE),
    ]


def test_a_no_to_a_new_owner_is_not_counted_with_those_to_the_old(conn: WriteConnection) -> None:
    old, new = make_customer(conn).customer_id, make_customer(conn).customer_id
    device = make_device(conn, "AIR-1", "reed-air-2", old, AT - 200 * DAY)
    forecast(conn, current_part(conn, device), None, at=AT)
    run_job(conn, AT)
    assign_device(conn, "AIR-1", new, at=AT + MINUTE, actor="test")
    for minutes in (2, 3):
        run_job(conn, AT + minutes * MINUTE)
    noes = [d for d in select_decisions(conn) if d.trigger is Trigger.DEPLETION]
    assert [(d.customer_id, d.times) for d in noes] == [(new, 2), (old, 1)]


def test_a_no_because_of_an_order_is_counted_too(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    customer_id = shop.customer.customer_id
    part = current_part(conn, make_device(conn, "AIR-1", "reed-air-2", customer_id, AT - 200 * DAY))
    forecast(conn, part, AT + LEAD.total - DAY, at=AT - DAY)
    place_order(
        conn,
        customer_id=customer_id,
        channel=Channel.APP,
        items=[OrderItem(Sku("REED-HEPA-H13"), 1)],
        currency="EUR",
        at=AT,
    )
    for minutes in (1, 2):
        run_job(conn, AT + minutes * MINUTE)
    [no] = select_decisions(conn, customer_id=customer_id)
    assert (no.failed_gate, no.times) == (GateName.NOT_ORDERED, 2)
    assert offers_of(conn, customer_id) == []
