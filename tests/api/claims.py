"""A device without an owner, and customers who claim it: what tests of owners share."""

from typing import Any

from devices.store import select_device
from tests.api.world import World

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
