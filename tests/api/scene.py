"""The world of the verdicts, and what in it is Ann's."""

from dataclasses import dataclass
from datetime import timedelta

from fastapi.testclient import TestClient

from attribution.bindings import binding_at
from tests.api.unknowns import add_rule, let_speak, send_bad
from tests.api.world import World, make_offer

SALE = {"currency": "EUR", "items": [{"sku": "REED-SOUNDBAR-3"}]}
TILL = SALE | {"channel": "store"}


@dataclass(frozen=True)
class Scene:
    """A world with something of Ann's of every kind; `ids` fill the paths of calls."""

    world: World
    ids: dict[str, str]
    staff: dict[str, str]

    def client(self, who: str) -> TestClient:
        """What `who` calls with."""
        if who == "nobody":
            return self.world.client()
        if who == "operator":
            return self.world.as_operator
        subjects = {"ann": self.world.ann.customer_id, "ben": self.world.ben.customer_id, "stranger": "cus_" + "0" * 20}
        if who in subjects:
            return self.world.client("customer", subjects[who])
        return self.world.client("staff", self.staff[who])


def open_scene(world: World) -> Scene:
    """Put one thing of every kind into the world."""
    offer = make_offer(world)
    operator = world.as_operator
    with world.connect() as conn:
        binding = binding_at(conn, world.ann.customer_id, world.clock.at)
    assert binding is not None
    staff: dict[str, str] = {"mina": world.mina.staff_id, "noah": world.noah.staff_id}
    third = operator.post("/v1/stores", json={"name": "Third", "currency": "EUR"}, headers=world.key()).json()
    for who, store_id in (("lou", third["store_id"]), ("gone", world.market.store_id)):
        employed = {"store_id": store_id, "name": who}
        staff[who] = operator.post("/v1/staff", json=employed, headers=world.key()).json()["staff_id"]
    world.clock.at += timedelta(minutes=1)
    assert operator.post(f"/v1/staff/{staff['gone']}/departure", headers=world.key()).status_code == 200
    sold = world.as_noah.post(
        "/v1/orders", json=TILL | {"customer_id": world.ann.customer_id}, headers=world.key()
    ).json()
    ids = {
        "serial": world.purifier.serial,
        "slot": "1",
        "segment_id": "gift_buyer",
        "model": "reed-air-2",
        "customer_id": world.ann.customer_id,
        "staff_id": world.mina.staff_id,
        "binding_id": binding.binding_id,
        "offer_id": offer.offer_id,
        "decision_id": offer.decision_id,
        "order_id": sold["order_id"],
        "lobby_id": "GHOST",
        "rule_id": add_rule(world),
        "merge_id": "none",
        "purpose": "marketing_email",
    }
    let_speak(world, "GHOST")
    shop = operator.post("/v1/sources", json={"name": "Shop", "kind": "web"}, headers=world.key()).json()
    ids |= {name: str(shop[name]) for name in ("source_id", "key_id")}
    ids["quarantine_id"] = send_bad(world, ids["serial"])
    return Scene(world, ids, staff)
