"""A rule of a person admits; a guess never does."""

from typing import Any

import pytest

from devices.aliases import alias_device, select_aliases_of_device
from devices.store import read_device
from ingest.formats.format import Formats, Subscription
from ingest.formats.saying import Saying
from ingest.formats.spoken import spoken
from ingest.lobby.admission import admit_by_rules, admit_unknown, end_rule, make_rule
from ingest.lobby.guess import guess_model
from ingest.lobby.known import store_known
from ingest.lobby.nouns import LobbyState
from ingest.lobby.store import select_rules
from ingest.nouns import Delivery, Lane
from ingest.storing.terms import Terms
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import Conflict, InvalidInput, NotFound
from tests.ingest.hub_format import HUB
from tests.ingest.lobby_world import (
    AIR,
    LATER,
    LIMITS,
    NOW,
    TERMS,
    hub,
    look,
    message,
    register,
    sample,
    store,
    values,
    waiting,
)


def test_a_rule_admits_whom_it_matches_by_the_word_of_who_made_it(conn: WriteConnection) -> None:
    make_rule(
        conn, format_name="hub", pattern="air-*", model="generic-purifier-pct", region="", at=NOW, by="operator:o"
    )
    narrow = make_rule(
        conn, format_name="hub", pattern="air-1?", model="reed-air-2", region="north", at=NOW, by="operator:o"
    )
    store(conn, hub(**{name: {"filter_life_pct": 7} for name in ("air-2", "air-12", "other", "air_2")}))
    assert admit_by_rules(conn, at=LATER, most_of_rule=9) == 2
    look(conn)
    rows = conn.execute("select serial, model, region from device order by serial").fetchall()
    assert rows == [("air-12", "reed-air-2", "north"), ("air-2", "generic-purifier-pct", "")]
    assert len(values(conn)) == 2
    assert [one.name for one in waiting(conn)] == ["hub/air_2", "hub/other"]
    assert {one.decided_by for one in waiting(conn, LobbyState.ADMITTED)} >= {f"rule:{narrow.rule_id}"}
    assert admit_by_rules(conn, at=LATER, most_of_rule=9) == 0


def test_whom_a_rule_cannot_admit_says_why_and_waits_for_a_person(conn: WriteConnection) -> None:
    register(conn, "a")
    store(conn, hub(a={"filter_life_pct": 7}))
    make_rule(conn, format_name="hub", pattern="?", model="reed-air-2", region="", at=NOW, by="operator:o")
    assert admit_by_rules(conn, at=LATER, most_of_rule=9) == 0
    [one] = waiting(conn)
    assert one.trouble is not None
    assert "another device already" in one.trouble


def test_a_rule_is_made_once_of_a_model_that_is_known_and_ends(conn: WriteConnection) -> None:
    rule = make_rule(conn, format_name="hub", pattern="100%_*", model="reed-air-2", region="", at=NOW, by="operator:o")
    with pytest.raises(Conflict, match="there is a rule"):
        make_rule(conn, format_name="hub", pattern="100%_*", model="reed-air-2", region="", at=NOW, by="operator:o")
    with pytest.raises(InvalidInput, match="model nothing is not known"):
        make_rule(conn, format_name="hub", pattern="x", model="nothing", region="", at=NOW, by="operator:o")
    store(conn, hub(**{name: {"filter_life_pct": 7} for name in ("100%_a", "100xxa")}))
    assert admit_by_rules(conn, at=LATER, most_of_rule=9) == 1
    end_rule(conn, rule.rule_id)
    assert select_rules(conn) == []
    with pytest.raises(NotFound):
        end_rule(conn, rule.rule_id)


def test_the_guess_is_the_model_that_reads_most_and_admits_nobody(conn: WriteConnection) -> None:
    store(conn, message(sample(1, filter_life_pct=64, filter_used_h=12)))
    store(conn, message(sample(1, nothing=1), "ODD"))
    [ghost, odd] = waiting(conn)
    best, *others = guess_model(conn, ghost, TERMS)
    assert (best.readings, best.refused) == (2, 0)
    assert all(one.readings - one.refused <= 2 for one in others)
    assert guess_model(conn, odd, TERMS) == []
    assert conn.execute("select count(*) from device").fetchone() == (0,)


def test_the_guess_reads_the_language_of_a_hub(conn: WriteConnection) -> None:
    store(conn, hub(a={"filter_used_h": 3, "filter_life_pct": 64}, b={"filter_life_pct": 300}))
    assert guess_model(conn, waiting(conn)[0], TERMS)[0].readings == 2
    assert HUB.name == waiting(conn)[0].format


def test_a_rule_admits_so_many_and_no_more(conn: WriteConnection) -> None:
    make_rule(conn, format_name="hub", pattern="*", model="reed-air-2", region="", at=NOW, by="operator:o")
    store(conn, hub(**{f"made-up-{n}": {"filter_life_pct": 7} for n in range(9)}))
    assert [admit_by_rules(conn, at=LATER, most_of_rule=3) for _ in range(3)] == [3, 0, 0]
    assert conn.execute("select count(*) from device").fetchone() == (3,)
    assert [rule.admitted for rule in select_rules(conn)] == [3]


def parse(delivery: Delivery, _described: Any) -> list[Saying]:
    return [Saying("kitchen", {"life": delivery.payload}, other_names=("0x1", "bad\x00name"), model="Purifier 9")]


def test_what_a_language_says_of_a_device_is_known_of_it_and_any_of_its_names_makes_it_known(
    conn: WriteConnection,
) -> None:
    formats = Formats(spoken("tongue", [Subscription("tongue/#", Lane.LIVE)], parse))
    said = Delivery("tongue/kitchen", b"64", NOW, Lane.LIVE, 1, 1, 1)
    store(conn, said, formats=formats)
    [one] = waiting(conn)
    assert (one.identity, one.other_names, one.said_model) == ("kitchen", ("0x1",), "Purifier 9")
    register(conn, "AIR-K")
    alias_device(conn, read_device(conn, "AIR-K").device_id, format_name="tongue", external_id="0x1", at=LATER)
    assert store_known(conn, Terms(LIMITS, formats=formats), at=LATER).messages == 1
    assert waiting(conn) == []


def test_who_is_admitted_keeps_all_its_names(conn: WriteConnection) -> None:
    formats = Formats(spoken("tongue", [Subscription("tongue/#", Lane.LIVE)], parse))
    store(conn, Delivery("tongue/kitchen", b"64", NOW, Lane.LIVE, 1, 1, 1), formats=formats)
    admitted = admit_unknown(conn, "kitchen", AIR, Terms(LIMITS, formats=formats), at=LATER, by="operator:o")
    names = select_aliases_of_device(conn, admitted.device.device_id)
    assert [name.external_id for name in names] == ["0x1", "kitchen"]
