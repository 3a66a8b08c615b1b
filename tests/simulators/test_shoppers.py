"""Shoppers that do not exist: the same again from a seed, told as far as anybody hears of it, and true in the truth."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from millpond import cli
from millpond.kernel.errors import InvalidInput
from simulators.shoppers.acts import Act, Deed
from simulators.shoppers.calls import SOURCES, tell
from simulators.shoppers.people import Channel, Persona
from simulators.shoppers.scenario import Population, Town, read_town, shipped_towns
from simulators.shoppers.shelf import shipped_shelf
from simulators.shoppers.till import is_at_till
from simulators.shoppers.world_files import write_world

START = datetime(2026, 1, 1, tzinfo=UTC)


def make_population(*, people: int = 120, days: int = 60, seed: int = 7, **shares: float) -> Population:
    town = Town(title="A town", shows="What is tested.", people=people, days=days, **shares)
    return Population(town, shipped_shelf(start=START, seed=seed), START, seed)


@cache
def lived(people: int = 120, days: int = 60, seed: int = 7) -> tuple[Act, ...]:
    population = make_population(people=people, days=days, seed=seed)
    return tuple(act for shopper in population.shoppers for act in population.days_of(shopper))


def told() -> Iterator[tuple[str, dict[str, Any]]]:
    for act in lived():
        yield from tell(act)


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_same_seed_gives_the_same_files_to_the_byte_and_another_one_others(tmp_path: Path) -> None:
    for folder, seed in (("one", 7), ("again", 7), ("other", 8)):
        write_world(make_population(people=20, days=20, seed=seed), tmp_path / folder)
    one, again, other = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "again", "other")
    )
    assert one == again
    assert one["events-web.ndjson"] != other["events-web.ndjson"]


def test_a_town_of_more_people_has_the_same_people_first() -> None:
    few, many = make_population(people=5), make_population(people=50)
    assert few.shoppers == many.shoppers[:5]
    assert list(few.days_of(few.shoppers[3])) == list(many.days_of(many.shoppers[3]))


def test_every_call_has_a_number_of_its_own_a_name_of_somebody_and_a_source() -> None:
    calls = list(told())
    ids = [(source, call["messageId"]) for source, call in calls]
    assert len(set(ids)) == len(ids) > 5000
    assert {source for source, _ in calls} == set(SOURCES)
    assert all(call.get("userId") or call.get("anonymousId") for _, call in calls)
    assert all(datetime.fromisoformat(call["timestamp"]).tzinfo for _, call in calls)


def test_orders_come_from_the_server_alone_and_shops_sales_from_the_till_alone() -> None:
    heard = {(source, call["event"]) for source, call in told() if call["type"] == "track"}
    assert {source for source, event in heard if event in ("Order Completed", "Order Refunded")} == {"server"}
    sold = {act.order.order_id for act in lived() if is_at_till(act) and act.order is not None}
    online = {call["properties"]["order_id"] for _, call in told() if call.get("event") == "Order Completed"}
    assert len(sold) > 10
    assert len(online) > 50
    assert not sold & online


def test_a_page_says_no_more_of_somebody_than_their_login() -> None:
    said = [call["traits"] for source, call in told() if call["type"] == "identify" and source in ("web", "app")]
    assert said
    assert {name for traits in said for name in traits} == {"locale"}


def test_nobody_hears_of_an_offer_that_was_not_shown_or_of_a_place_that_was_not_agreed_to() -> None:
    hidden = {act.showing.decision_id for act in lived() if act.showing is not None and not act.showing.shown}
    shown = {call["properties"].get("decision_id") for _, call in told() if call["type"] == "track"}
    assert len(hidden) > 30
    assert not hidden & shown
    unseen = {act.act_id for act in lived() if "location" not in act.shopper.agrees and act.deed is Deed.ENTERED}
    assert len(unseen) > 30
    assert not unseen & {call["messageId"] for _, call in told()}


def test_an_offer_changes_what_its_person_would_have_done_and_the_coin_is_fair() -> None:
    showings = [act.showing for act in lived(people=600) if act.deed is Deed.OFFERED and act.showing is not None]
    shown = [each for each in showings if each.shown]
    assert len(showings) > 400
    assert 0.42 < len(shown) / len(showings) < 0.58
    true_effect = sum(each.effect for each in showings) / len(showings)
    not_shown = [each for each in showings if not each.shown]
    measured = sum(e.buys for e in shown) / len(shown) - sum(e.buys for e in not_shown) / len(not_shown)
    assert true_effect > 0.03
    assert abs(measured - true_effect) < 0.1


def test_who_buys_for_others_does_it_before_holidays_and_value_seekers_are_won_by_offers() -> None:
    orders = [act for act in lived(people=600, days=60) if act.deed is Deed.ORDERED and act.order is not None]
    gifts = Counter(act.shopper.persona for act in orders if act.order is not None and act.order.gift)
    assert gifts[Persona.GIFT_BUYER] > gifts[Persona.STEADY] / 2
    lift = {act.shopper.persona: act.shopper.lift for act in orders}
    assert lift[Persona.VALUE_SEEKER] > 0 > lift[Persona.STEADY]


def test_people_buy_again_about_when_they_need_it() -> None:
    orders: dict[tuple[str, str], list[datetime]] = {}
    cycles: dict[tuple[str, str], float] = {}
    for act in lived(people=25, days=500):
        if act.deed is Deed.ORDERED and act.order is not None and act.order.because == "need":
            key = (act.shopper.person, act.order.article.category)
            orders.setdefault(key, []).append(act.at)
            cycles[key] = act.shopper.cycles[key[1]]
    gaps = [
        (later - earlier) / timedelta(days=cycles[key])
        for key, times in orders.items()
        for earlier, later in pairwise(times)
    ]
    assert len(gaps) > 20
    assert min(gaps) > 0.5


def test_the_truth_names_every_order_and_whose_every_name_is(tmp_path: Path) -> None:
    population = make_population(people=60, days=60)
    write_world(population, tmp_path)
    truth = read_lines(tmp_path / "truth.ndjson")
    people = {each["person"]: each for each in truth if each["truth"] == "person"}
    assert len(people) == 60
    owners: dict[str, set[str]] = {}
    for person, each in people.items():
        for name in (each["login"], *each["anonymous_ids"], each["card"]):
            if name is not None:
                owners.setdefault(name, set()).add(person)
    assert all(len(found) == 1 for found in owners.values())
    heard = {
        call["properties"]["order_id"]
        for call in read_lines(tmp_path / "events-server.ndjson")
        if call.get("event") == "Order Completed"
    }
    tills = "".join(path.read_text() for path in tmp_path.glob("till-*.csv"))
    orders = [each for each in truth if each["truth"] == "order"]
    assert orders
    assert all(each["order_id"] in heard or each["order_id"] in tills for each in orders)


def test_a_card_is_at_the_till_only_where_it_was_shown(tmp_path: Path) -> None:
    write_world(make_population(people=120, days=60), tmp_path)
    cards = [line.split(",")[9] for path in tmp_path.glob("till-*.csv") for line in path.read_text().splitlines()[1:]]
    assert "" in cards
    assert len(set(cards)) > 3


@pytest.mark.parametrize("name", sorted(shipped_towns()))
def test_every_shipped_town_is_lived_in_on_every_channel(name: str) -> None:
    town = read_town(name).model_copy(update={"people": 80, "days": 30})
    population = Population(town, shipped_shelf(start=START, seed=3), START, 3)
    acts = [act for shopper in population.shoppers for act in population.days_of(shopper)]
    assert {act.channel for act in acts} == set(Channel)


def test_the_command_writes_files_and_says_how_to_get_them_again(tmp_path: Path) -> None:
    cli.register_commands()
    out = CliRunner().invoke(cli.app, ["shoppers", str(tmp_path / "town"), "--people", "15", "--days", "10"])
    assert out.exit_code == 0, out.output
    again = out.output.strip().splitlines()[-1].removeprefix("again: ").split()
    other = [str(tmp_path / "again"), "--people", "15", "--days", "10", *again]
    assert CliRunner().invoke(cli.app, ["shoppers", *other]).exit_code == 0
    for path in (tmp_path / "town").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()
    towns = CliRunner().invoke(cli.app, ["shoppers", "--list-towns"]).output
    assert all(name in towns for name in shipped_towns())


def test_a_town_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(InvalidInput, match="there is no town nowhere: give a file, or one of shared-tablets"):
        read_town("nowhere")
