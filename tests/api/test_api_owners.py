"""Whose a device is: transfer, release, and a history that is cut where the owner changes."""

from datetime import timedelta
from typing import Any

import pytest

from devices.bulk.columns import columns_of
from devices.bulk.storing import store_readings
from devices.nouns import Reading
from devices.store import select_device, select_metrics
from millpond.kernel.errors import NotFound
from offers.causes import WornPart
from offers.job import issue_due_offers
from offers.nouns import OfferState
from offers.ownership import assign_device, offer_transfer
from offers.store import select_facts
from offers.triggers.union import select_candidates, select_households
from offers.verdict import Thing
from tests.api.claims import claim, owner, register
from tests.api.world import NOW, RULES, START, World, make_forecasts, make_offer, use_up
from tests.household import offers_of


def measure(world: World, serial: str, at: Any, value: float) -> None:
    with world.connect() as conn, conn.transaction():
        device = select_device(conn, serial)
        assert device is not None
        metric = select_metrics(conn)[device.model]["filter_used_h"]
        readings = [Reading(device.device_id, metric.metric_id, at, value, None, at, False)]
        store_readings(conn, columns_of(readings))


def sell_to_ben(world: World) -> None:
    """Ann sells her purifier to Ben with a code; the clock goes on a minute each time."""
    world.clock.at += timedelta(minutes=1)
    code = world.as_ann.post("/v1/devices/AIR-1/transfers", headers=world.key()).json()["claim_code"]
    world.clock.at += timedelta(minutes=1)
    answer = claim(world, world.as_ben, code, serial="AIR-1")
    assert answer.status_code == 201, answer.text


def test_after_a_resale_the_new_owner_sees_nothing_of_the_time_before(world: World) -> None:
    make_offer(world)
    decision = world.as_ann.get(f"/v1/customers/{world.ann.customer_id}/decisions").json()["items"][0]["decision_id"]
    sell_to_ben(world)
    sold_at = world.clock.at

    seen = world.as_ben.get("/v1/devices/AIR-1").json()
    assert seen["latest"] == []
    assert seen["status"] is None
    assert {seen["installed_at"], *(i["installed_at"] for i in seen["installations"])} == {
        sold_at.isoformat().replace("+00:00", "Z")
    }
    for query in ("", "&bucket=1d"):
        address = f"/v1/devices/AIR-1/readings?metric=filter_used_h&from=2026-01-01T00:00:00Z{query}"
        assert world.as_ben.get(address).json()["points"] == []
        assert world.as_operator.get(address).json()["points"] != []
    assert world.as_ben.get("/v1/devices/AIR-1/forecasts").json()["items"] == []
    assert world.as_ben.get(f"/v1/customers/{world.ben.customer_id}/offers").json()["items"] == []
    assert world.as_ben.get(f"/v1/decisions/{decision}").status_code == 404
    page = world.browser("customer", world.ben.customer_id).get("/me?lang=en").text
    assert "AIR-1" in page
    assert "never heard of" in page
    assert "data-chart" not in page
    assert "No forecast yet" in page

    for address in ("", "/readings?metric=filter_used_h", "/forecasts"):
        assert world.as_ann.get(f"/v1/devices/AIR-1{address}").status_code == 404
    assert "AIR-1" not in world.browser("customer", world.ann.customer_id).get("/me").text


def test_after_a_resale_the_new_owner_sees_what_comes(world: World) -> None:
    use_up(world)
    sell_to_ben(world)
    world.clock.at += timedelta(hours=6)
    measure(world, "AIR-1", world.clock.at, 3126.0)
    make_forecasts(world)
    address = "/v1/devices/AIR-1/readings?metric=filter_used_h&from=2026-01-01T00:00:00Z&to=2026-03-04T00:00:00Z"
    assert [p["value"] for p in world.as_ben.get(address).json()["points"]] == [3126.0]
    (forecast,) = world.as_ben.get("/v1/devices/AIR-1/forecasts").json()["items"]
    assert forecast["remaining_pct"] == pytest.approx(10.7, abs=0.1)
    assert [v["value"] for v in world.as_ben.get("/v1/devices/AIR-1").json()["latest"]] == [3126.0]


def test_a_resale_withdraws_the_old_owners_offers_and_the_new_owner_gets_their_own(world: World) -> None:
    offer = make_offer(world)
    world.as_ann.post(f"/v1/offers/{offer.offer_id}/decline", headers=world.key())
    with world.connect() as conn:
        conn.execute("update offer set state = 'open' where offer_id = %s", [offer.offer_id])
    sell_to_ben(world)
    with world.connect() as conn:
        assert [o.state for o in offers_of(conn, world.ann.customer_id)] == [OfferState.WITHDRAWN]
    world.clock.at += timedelta(hours=1)
    make_forecasts(world)
    with world.connect() as conn:
        issue_due_offers(conn, world.clock.at, RULES)
        offers = offers_of(conn, world.ben.customer_id)
    # Ann's no was hers: it does not stand against an offer to Ben.
    assert "depletion" in [o.reason_code for o in offers]
    assert all(o.facts["device_installed_at"] >= NOW.isoformat() for o in offers if o.facts["serial"] == "AIR-1")


def test_what_the_old_owner_put_in_is_not_counted_against_the_new_ones_stock(world: World) -> None:
    use_up(world)
    order = {"channel": "app", "currency": "EUR", "items": [{"sku": "REED-HEPA-H13"}]}
    assert world.as_ben.post("/v1/orders", json=order, headers=world.key()).status_code == 201
    with world.connect() as conn:
        changed_at = START + timedelta(days=60)
        conn.execute(
            "with old as (update installation set ended_at = %(at)s, ended_by = 'replaced_event'"
            " where device_id = %(device)s returning *)"
            " insert into installation (device_id, part, consumable, installed_at)"
            " select device_id, part, consumable, %(at)s from old",
            {"at": changed_at, "device": world.purifier.device_id},
        )
    sell_to_ben(world)
    with world.connect() as conn:
        make_forecasts(world)
        households = [
            h for h in select_households(conn, world.clock.at, RULES) if h.customer_id == world.ben.customer_id
        ]
        (candidate,) = [
            c
            for c in select_candidates(conn, households, world.clock.at, RULES)
            if isinstance(c.cause, WornPart) and c.cause.device.serial == "AIR-1"
        ]
        thing = Thing(candidate.customer_id, candidate.subject, candidate.sku)
        (facts,) = select_facts(conn, [thing], world.clock.at)
        assert facts.spare == 1


def test_a_transfer_code_is_good_once_for_some_days_and_under_one_owner(world: World) -> None:
    code = world.as_ann.post("/v1/devices/AIR-1/transfers", headers=world.key()).json()["claim_code"]
    world.as_operator.patch("/v1/devices/AIR-1", json={"region": "north"}, headers=world.key())
    assert claim(world, world.as_ben, code, serial="AIR-1").status_code == 201
    assert claim(world, world.as_ann, code, serial="AIR-1").status_code == 404
    late = world.as_ben.post("/v1/devices/AIR-1/transfers", headers=world.key()).json()["claim_code"]
    world.clock.at += timedelta(days=14)
    assert claim(world, world.as_ann, late, serial="AIR-1").status_code == 404
    stale = world.as_ben.post("/v1/devices/AIR-1/transfers", headers=world.key()).json()["claim_code"]
    assert world.as_ben.post("/v1/devices/AIR-1/release", headers=world.key()).status_code == 200
    assert claim(world, world.as_ann, stale, serial="AIR-1").status_code == 404


def test_a_released_device_waits_for_the_next_who_holds_its_label(world: World) -> None:
    code = register(world)["claim_code"]
    assert claim(world, world.as_ben, code).status_code == 201
    world.clock.at += timedelta(days=1)
    released = world.as_ben.post("/v1/devices/VAC-9/release", headers=world.key())
    assert (released.status_code, released.json()["customer_id"]) == (200, None)
    assert world.as_ben.get("/v1/devices/VAC-9").status_code == 404
    assert claim(world, world.as_ann, code, installed_at="2026-01-01T00:00:00Z").status_code == 201
    # Another household's time with it lies before, so the claim does not reach back.
    assert world.as_ann.get("/v1/devices/VAC-9").json()["installed_at"] == world.clock.at.isoformat()[:19] + "Z"
    owners = world.as_operator.get("/v1/devices/VAC-9/owners").json()["items"]
    assert [each["customer_id"] for each in owners] == [world.ben.customer_id, world.ann.customer_id]
    assert owners[0]["owned_until"] <= owners[1]["owned_from"]


def test_an_operator_corrects_region_owner_and_date(world: World) -> None:
    register(world)
    body = {"region": "north", "customer_id": world.ben.customer_id, "installed_at": "2026-02-01T00:00:00Z"}
    patched = world.as_operator.patch("/v1/devices/VAC-9", json=body, headers=world.key())
    assert patched.status_code == 200, patched.text
    assert {name: patched.json()[name] for name in body} == body
    assert {i["installed_at"] for i in world.as_ben.get("/v1/devices/VAC-9").json()["installations"]} == {
        "2026-02-01T00:00:00Z"
    }
    world.as_operator.patch("/v1/devices/VAC-9", json={"customer_id": None}, headers=world.key())
    assert owner(world, "VAC-9") is None
    nothing = world.as_operator.patch("/v1/devices/VAC-9", json={}, headers=world.key())
    assert nothing.status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/v1/devices/AIR-1"),
        ("POST", "/v1/devices/AIR-1/claim-codes"),
        ("POST", "/v1/devices/AIR-1/transfers"),
        ("POST", "/v1/devices/AIR-1/release"),
        ("GET", "/v1/devices/AIR-1/owners"),
    ],
)
def test_a_device_of_others_is_nobody_elses_to_move(still_world: World, method: str, path: str) -> None:
    clients = [still_world.as_ben, still_world.as_mina]
    if method == "PATCH" or path.endswith(("claim-codes", "owners")):
        clients.append(still_world.as_ann)
    for client in clients:
        body = {"region": "x"} if method == "PATCH" else None
        answer = client.request(method, path, json=body, headers=still_world.key())
        assert answer.status_code == 404, answer.text


def test_a_wish_for_a_device_that_was_sold_meanwhile_is_for_nobodys(world: World) -> None:
    ann, by_ann = world.ann.customer_id, "customer:ann"
    with world.connect() as conn:
        assign_device(conn, "AIR-1", world.ben.customer_id, at=NOW, actor="operator:ops")
        with pytest.raises(NotFound, match="no device AIR-1 that you may see"):
            offer_transfer(conn, serial="AIR-1", owner=ann, at=NOW, actor=by_ann)
        with pytest.raises(NotFound, match="no device AIR-1 that you may see"):
            assign_device(conn, "AIR-1", None, owner=ann, at=NOW, actor=by_ann)
    assert owner(world, "AIR-1") == world.ben.customer_id
