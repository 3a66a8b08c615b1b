"""Whose a device is: claiming with proof, transfer, release, and a history that is cut where the owner changes."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from devices.nouns import Reading
from devices.readings import insert_readings, upsert_latest
from devices.store import select_device, select_metrics
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import NotFound
from offers.causes import WornPart
from offers.job import issue_due_offers
from offers.nouns import OfferState
from offers.ownership import assign_device, offer_transfer
from offers.store import select_facts
from offers.triggers.union import select_candidates, select_households
from offers.verdict import Thing
from tests.api.world import NOW, RULES, START, World, make_forecasts, make_offer, use_up
from tests.household import offers_of
from tests.races import race

VAC = {"serial": "VAC-9", "model": "reed-vac-s"}


def register(world: World, **more: Any) -> dict[str, Any]:
    answer = world.as_operator.post("/v1/devices", json=VAC | more, headers=world.key())
    assert answer.status_code == 201, answer.text
    registered: dict[str, Any] = answer.json()
    return registered


def claim(world: World, client: Any, code: str, **more: Any) -> Any:
    return client.post("/v1/devices", json={"serial": "VAC-9", "claim_code": code} | more, headers=world.key())


def owner(world: World, serial: str) -> str | None:
    with world.connect() as conn:
        device = select_device(conn, serial)
    assert device is not None
    return device.customer_id


def test_who_holds_the_label_claims_the_device(world: World) -> None:
    code = register(world)["claim_code"]
    answer = claim(world, world.as_ben, code.lower().replace("-", " "), model="reed-vac-s", region="seoul")
    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert (shown["customer_id"], shown["region"]) == (world.ben.customer_id, "seoul")
    assert shown["installed_at"] == "2026-03-02T09:00:00Z"
    assert [d["serial"] for d in world.as_ben.get("/v1/devices").json()["items"]] == ["TV-1", "VAC-9"]


def test_a_customer_makes_no_device_out_of_nothing(world: World) -> None:
    answer = world.as_ben.post(
        "/v1/devices", json={"serial": "NEVER-SEEN-1", "model": "reed-tv-55"}, headers=world.key()
    )
    assert (answer.status_code, "claim_code" in answer.json()["detail"]) == (422, True)
    claimed = {"serial": "NEVER-SEEN-1", "model": "reed-tv-55", "claim_code": "0000-0000-0000-0000"}
    assert world.as_ben.post("/v1/devices", json=claimed, headers=world.key()).status_code == 404
    with world.connect() as conn:
        assert select_device(conn, "NEVER-SEEN-1") is None


def test_a_wrong_code_an_unknown_serial_and_anothers_device_are_answered_alike(world: World) -> None:
    register(world)
    answers = []
    for serial in ("VAC-9", "NOPE-1", "AIR-1"):
        body = {"serial": serial, "claim_code": "0000-0000-0000-0000"}
        answer = world.as_ben.post("/v1/devices", json=body, headers=world.key())
        problem = answer.json()
        del problem["request_id"]
        answers.append((answer.status_code, problem))
    assert answers[0][0] == 404
    assert answers[0] == answers[1] == answers[2]


def test_a_claim_code_is_kept_nowhere_but_as_a_digest_and_is_told_once(world: World) -> None:
    key = world.key()
    code = world.as_operator.post("/v1/devices", json=VAC, headers=key).json()["claim_code"]
    again = world.as_operator.post("/v1/devices", json=VAC, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.status_code, again.json()["claim_code"]) == (201, None)
    with world.connect() as conn:
        kept = str(conn.execute("select * from claim_code").fetchall())
        kept += str(conn.execute("select response from idempotency_key").fetchall())
    assert code not in kept
    assert code.replace("-", "") not in kept


def test_a_device_with_an_owner_gives_no_code_and_its_label_claims_nothing(world: World) -> None:
    assert register(world, customer_id=world.ann.customer_id)["claim_code"] is None
    code = world.as_operator.post("/v1/devices/VAC-9/claim-codes", headers=world.key()).json()["claim_code"]
    answer = claim(world, world.as_ben, code)
    assert (answer.status_code, "has an owner" in answer.json()["detail"]) == (409, True)
    assert owner(world, "VAC-9") == world.ann.customer_id


def test_a_newer_label_voids_the_older(world: World) -> None:
    old = register(world)["claim_code"]
    new = world.as_operator.post("/v1/devices/VAC-9/claim-codes", headers=world.key()).json()["claim_code"]
    assert claim(world, world.as_ben, old).status_code == 404
    assert claim(world, world.as_ben, new).status_code == 201


def test_many_wrong_codes_end_in_a_pause_and_the_right_one_forgives(world: World) -> None:
    code = register(world)["claim_code"]
    for _ in range(9):
        assert claim(world, world.as_ben, "0000-0000-0000-0000").status_code == 404
    assert claim(world, world.as_ben, code).status_code == 201
    for _ in range(10):
        claim(world, world.as_ben, "0000-0000-0000-0000", serial="AIR-1")
    paused = claim(world, world.as_ben, code)
    assert (paused.status_code, paused.headers["retry-after"]) == (429, "3600")
    world.clock.at += timedelta(hours=1)
    assert claim(world, world.as_ben, code).status_code == 201


def test_a_customer_claims_as_many_devices_as_the_setting_allows(world: World) -> None:
    most = world.app.state.edge.settings.customer_devices_max
    codes = [register(world, serial=f"VAC-{number}")["claim_code"] for number in range(most)]
    for number, code in enumerate(codes[:-1]):
        assert claim(world, world.as_ben, code, serial=f"VAC-{number}").status_code == 201
    over = claim(world, world.as_ben, codes[-1], serial=f"VAC-{most - 1}")
    assert (over.status_code, over.json()["detail"]) == (
        409,
        f"a customer may own {most} devices at most: release one first",
    )


@pytest.mark.parametrize("installed_at", ["1970-01-01T00:00:01Z", "2026-03-02T09:00:01Z", "2199-01-01T00:00:00Z"])
def test_nothing_is_installed_in_the_future_or_before_there_were_such_devices(world: World, installed_at: str) -> None:
    code = register(world)["claim_code"]
    tries: list[Callable[[], Any]] = [
        lambda: claim(world, world.as_ben, code, installed_at=installed_at),
        lambda: world.as_operator.post(
            "/v1/devices", json=VAC | {"serial": "VAC-10", "installed_at": installed_at}, headers=world.key()
        ),
        lambda: world.as_operator.patch("/v1/devices/VAC-9", json={"installed_at": installed_at}, headers=world.key()),
    ]
    for answer in (each() for each in tries):
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("installed_at ")


def measure(world: World, serial: str, at: Any, value: float) -> None:
    with world.connect() as conn, conn.transaction():
        device = select_device(conn, serial)
        assert device is not None
        metric = select_metrics(conn)[device.model]["filter_used_h"]
        readings = [Reading(device.device_id, metric.metric_id, at, value, None, at, False)]
        insert_readings(conn, readings)
        upsert_latest(conn, readings)


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


def claims_at_once(world: World, clients: Sequence[Any], code: str, serial: str) -> list[Any]:
    """What each client was answered who claims the device at the same moment."""

    def attempt(client: Any) -> Callable[[WriteConnection], int]:
        return lambda _: int(claim(world, client, code, serial=serial).status_code)

    return race(world.dsn, [attempt(client) for client in clients])


def test_of_two_who_claim_at_once_one_gets_it(world: World) -> None:
    for number in range(8):
        code = register(world, serial=f"RACE-{number}")["claim_code"]
        clients = (world.as_ann, world.as_ben)
        assert sorted(claims_at_once(world, clients, code, serial=f"RACE-{number}")) == [201, 409]
    with world.connect() as conn:
        periods = conn.execute("select count(*) from device_owner where owned_until is null").fetchone()
    assert periods == (10,)


def test_two_claims_of_one_customer_at_once_are_one(world: World) -> None:
    code = register(world)["claim_code"]
    assert claims_at_once(world, [world.as_ben] * 4, code, serial="VAC-9") == [201] * 4
    assert len(world.as_operator.get("/v1/devices/VAC-9/owners").json()["items"]) == 1


def test_of_two_buyers_with_one_code_one_gets_it(world: World) -> None:
    cho = world.as_operator.post("/v1/customers", json={"name": "Cho"}, headers=world.key()).json()["customer_id"]
    code = world.as_ann.post("/v1/devices/AIR-1/transfers", headers=world.key()).json()["claim_code"]
    first, second = sorted(claims_at_once(world, [world.as_ben, world.client("customer", cho)], code, serial="AIR-1"))
    assert first == 201
    assert second in (404, 409)


def _claims(world: World, code: str, _own: WriteConnection) -> int:
    return int(claim(world, world.as_ben, code, serial="AIR-1").status_code)


@pytest.mark.parametrize("asked", ["transfers", "release"])
def test_who_sold_a_device_and_asks_at_the_same_moment_does_not_get_it_back(world: World, asked: str) -> None:
    for _ in range(12):
        world.clock.at += timedelta(hours=2)  # Wrong codes are counted by the hour.
        code = world.as_ann.post("/v1/devices/AIR-1/transfers", headers=world.key()).json()["claim_code"]
        tries: list[Callable[[WriteConnection], int]] = [
            partial(_claims, world, code),
            lambda _: int(world.as_ann.post(f"/v1/devices/AIR-1/{asked}", headers=world.key()).status_code),
        ]
        bought, taken = race(world.dsn, tries)
        # A new code voids the old one, and a release takes it from whoever sells: one of the two comes too late.
        assert {bought, taken} & {404, 409}
        assert (owner(world, "AIR-1") == world.ben.customer_id) == (bought == 201)
        world.as_operator.patch("/v1/devices/AIR-1", json={"customer_id": world.ann.customer_id}, headers=world.key())


def test_a_wish_for_a_device_that_was_sold_meanwhile_is_for_nobodys(world: World) -> None:
    ann, by_ann = world.ann.customer_id, "customer:ann"
    with world.connect() as conn:
        assign_device(conn, "AIR-1", world.ben.customer_id, at=NOW, actor="operator:ops")
        with pytest.raises(NotFound, match="no device AIR-1 that you may see"):
            offer_transfer(conn, serial="AIR-1", owner=ann, at=NOW, actor=by_ann)
        with pytest.raises(NotFound, match="no device AIR-1 that you may see"):
            assign_device(conn, "AIR-1", None, owner=ann, at=NOW, actor=by_ann)
    assert owner(world, "AIR-1") == world.ben.customer_id
