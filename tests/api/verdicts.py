"""Who may do what: a verdict for every call of the API, by whose the thing is.

The things are Ann's: her purifier, her binding to Mina, her offer, an order that Noah sold her at the Market's till.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from attribution.release import release_commissions
from attribution.tokens import issue_badge_token
from customers.accounts import register_customer
from devices.owners import ClaimKind, issue_claim_code
from devices.registry import register_device
from tests.api.scene import SALE, TILL, Scene

EVERYBODY = ("ann", "ben", "stranger", "mina", "noah", "lou", "gone", "operator", "nobody")
"""Ann, whose it is; Ben, another customer; a stranger, with a customer's token and no account; Mina, who is credited;
Noah, at the till that sold; Lou, of a third store; somebody who left Noah's; an operator; and nobody, not signed in."""

SIGNED_IN = tuple(who for who in EVERYBODY if who != "nobody")
CUSTOMERS = ("ann", "ben", "stranger")
STAFF = ("mina", "noah", "lou", "gone")


@dataclass(frozen=True)
class Verdict:
    """For whom a call works. For all others there is nothing (404), for nobody a sign-in (401), else as `but` says.

    `body` is what is sent; `prepare` puts into the world what else the call needs to work.
    """

    works_for: tuple[str, ...]
    body: Callable[[Scene], dict[str, Any]] | None = None
    but: dict[str, int] = field(default_factory=dict)
    prepare: Callable[[Scene], None] = lambda scene: None

    def refusal(self, who: str) -> int:
        return self.but.get(who, 401 if who == "nobody" else 404)


def _for_ann(body: dict[str, Any]) -> Callable[[Scene], dict[str, Any]]:
    return lambda scene: body | {"customer_id": scene.world.ann.customer_id}


def _new_device(scene: Scene) -> dict[str, Any]:
    return {"serial": f"NEW-{scene.world.fresh_key()}", "model": "reed-tv-55"}


def _labelled_device(scene: Scene) -> dict[str, Any]:
    """A device that waits for who holds its label."""
    body, at = _new_device(scene), scene.world.clock.at
    with scene.world.connect() as conn:
        device = register_device(conn, **body, installed_at=at, at=at)
        code = issue_claim_code(conn, device, ClaimKind.LABEL, at=at, issued_by="operator:o")
    return body | {"claim_code": code}


def _first_contact(scene: Scene) -> dict[str, Any]:
    """A device that is not signed in anywhere, with the code for its credential."""
    body, at = _new_device(scene), scene.world.clock.at
    with scene.world.connect() as conn:
        device = register_device(conn, **body, installed_at=at, at=at)
        code = issue_claim_code(conn, device, ClaimKind.PROVISION, at=at, issued_by="operator:o", life=timedelta(1))
    return {"serial": device.serial, "claim_code": code}


def _provisioned(scene: Scene) -> dict[str, Any]:
    """What a device signs in with at the broker."""
    issued = scene.world.client().post("/v1/devices/provision", json=_first_contact(scene), headers=scene.world.key())
    return {name: issued.json()[name] for name in ("username", "password")}


def _old_account(scene: Scene) -> dict[str, Any]:
    """An account that Ann had before."""
    world = scene.world
    with world.connect() as conn:
        return {"absorbs": register_customer(conn, name="A.", at=world.clock.at).customer_id}


def _merged(scene: Scene) -> None:
    """Let Ann's old account be hers."""
    address = f"/v1/customers/{scene.ids['customer_id']}/merges"
    made = scene.world.as_operator.post(address, json=_old_account(scene), headers=scene.world.key()).json()
    scene.ids["merge_id"] = made["merge_id"]


def _credentials(scene: Scene) -> None:
    """Let the purifier have a credential."""
    address = f"/v1/devices/{scene.ids['serial']}/credentials"
    scene.world.as_operator.post(address, json={}, headers=scene.world.key())


def _badge(scene: Scene) -> dict[str, Any]:
    return {"token": issue_badge_token(scene.world.keys, scene.world.mina)}


def _hand_over(scene: Scene) -> dict[str, Any]:
    return {"to_staff_id": scene.staff["lou"]}


def _coming_hand_over(scene: Scene) -> None:
    """Point `binding_id` at a hand-over that Ann may refuse."""
    address = f"/v1/bindings/{scene.ids['binding_id']}/transfers"
    made = scene.world.as_operator.post(address, json=_hand_over(scene), headers=scene.world.key())
    scene.ids["binding_id"] = made.json()["binding_id"]


def _released(scene: Scene) -> None:
    with scene.world.connect() as conn:
        release_commissions(conn, scene.world.clock.at + timedelta(days=20))


def _held(scene: Scene) -> None:
    """Point `order_id` at a sale that Mina made to her own customer."""
    sale = TILL | {"customer_id": scene.world.ann.customer_id}
    sold = scene.world.as_mina.post("/v1/orders", json=sale, headers=scene.world.key())
    scene.ids["order_id"] = sold.json()["order_id"]


def _one(body: dict[str, Any]) -> Callable[[Scene], dict[str, Any]]:
    return lambda scene: body


_ANY = Verdict(SIGNED_IN)
_OPEN = Verdict(EVERYBODY)
_OWNER = Verdict(("ann", "operator"))
_PERSON = Verdict(("mina", "operator"))
_OPERATOR = Verdict(("operator",))
_NAMED = _one({"name": "Somebody"})
_ORDERED = {"field": "orders", "op": ">=", "value": 2}

VERDICTS: list[tuple[str, Verdict]] = [
    ("GET /healthz", _OPEN),
    ("GET /readyz", Verdict((), but=dict.fromkeys(EVERYBODY, 503))),  # No ingest runs in these tests.
    ("GET /metrics", _OPEN),
    ("GET /v1/products", _ANY),
    # Devices: the owner's and the operators'.
    ("POST /v1/devices", Verdict(("operator",), _new_device, dict.fromkeys(CUSTOMERS, 422))),
    # Whoever holds the code of a device that nobody owns gains it; a serial alone gives nobody anything.
    ("POST /v1/devices", Verdict(("ann", "ben"), _labelled_device, {"operator": 422})),
    ("PATCH /v1/devices/{serial}", Verdict(("operator",), _one({"region": "north"}))),
    ("POST /v1/devices/{serial}/claim-codes", _OPERATOR),
    ("POST /v1/devices/{serial}/transfers", _OWNER),
    ("POST /v1/devices/{serial}/release", _OWNER),
    ("GET /v1/devices/{serial}/owners", _OPERATOR),
    # What a device proves itself by: an operator's to give and to take, and the device's own to ask for with its proof.
    ("POST /v1/devices/{serial}/credentials", Verdict(("operator",), _one({}))),
    ("GET /v1/devices/{serial}/credentials", _OPERATOR),
    ("DELETE /v1/devices/{serial}/credentials", Verdict(("operator",), prepare=_credentials)),
    ("DELETE /v1/devices/{serial}/credentials/{slot}", Verdict(("operator",), prepare=_credentials)),
    ("POST /v1/devices/{serial}/provision-codes", _OPERATOR),
    ("POST /v1/devices/provision", Verdict(EVERYBODY, _first_contact)),
    ("POST /v1/devices/provision/used", Verdict(EVERYBODY, _provisioned)),
    ("GET /v1/devices", Verdict((*CUSTOMERS, "operator"))),
    ("GET /v1/devices/{serial}", _OWNER),
    ("GET /v1/devices/{serial}/readings?metric=filter_used_h", _OWNER),
    ("GET /v1/devices/{serial}/completeness", _OWNER),
    ("GET /v1/devices/{serial}/forecasts", _OWNER),
    # Codes and commission: of the person they belong to, paid by operators alone.
    ("GET /v1/staff/{staff_id}/qr", _PERSON),
    ("GET /v1/staff/{staff_id}/qr.svg", _PERSON),
    ("GET /v1/staff/{staff_id}/qr.png", _PERSON),
    ("POST /v1/staff/{staff_id}/qr-tokens", _PERSON),
    ("GET /v1/staff/{staff_id}/statement", _PERSON),
    ("POST /v1/staff/{staff_id}/payouts", Verdict(("operator",), prepare=_released)),
    # Held commission: staff gain by a yes, so it is an operator's to give.
    ("GET /v1/commission-holds", _OPERATOR),
    ("POST /v1/commission-holds/{order_id}/approval", Verdict(("operator",), prepare=_held)),
    ("POST /v1/commission-holds/{order_id}/rejection", Verdict(("operator",), prepare=_held)),
    # Bindings: who scans gives their own credit away, and nobody else's. Staff gain, so staff do none of it.
    ("POST /v1/bindings", Verdict(("ann", "ben"), _badge)),
    ("GET /v1/customers/{customer_id}/binding", _OWNER),
    ("POST /v1/bindings/{binding_id}/transfers", Verdict(("ann", "operator"), _hand_over)),
    ("POST /v1/bindings/{binding_id}/refusal", Verdict(("ann",), prepare=_coming_hand_over)),
    # Offers: seen by who is credited for them too, and answered by the customer alone.
    ("GET /v1/customers/{customer_id}/offers", Verdict(("ann", "mina", "operator"))),
    ("GET /v1/customers/{customer_id}/timeline", Verdict(("ann", "mina", "operator"))),
    ("POST /v1/offers/{offer_id}/seen", Verdict(("ann",))),
    ("POST /v1/offers/{offer_id}/accept", Verdict(("ann",))),
    ("POST /v1/offers/{offer_id}/decline", Verdict(("ann",))),
    ("GET /v1/decisions/{decision_id}", _OWNER),
    ("GET /v1/customers/{customer_id}/decisions", _OWNER),
    ("PUT /v1/customers/{customer_id}/country", Verdict(("operator",), _one({"country": "KR"}))),
    # Consents: the customer's own word; an operator writes down what they were told, a staff member nothing.
    ("GET /v1/customers/{customer_id}/consents", _OWNER),
    ("GET /v1/customers/{customer_id}/consents/history", _OWNER),
    ("PUT /v1/customers/{customer_id}/consents/{purpose}", Verdict(("ann", "operator"), _one({"given": False}))),
    ("POST /v1/customers/{customer_id}/consents/off", Verdict(("ann", "operator"), _one({}))),
    # Who is one person: whoever could merge two would read the one's orders by the other's token, so operators alone.
    ("GET /v1/customers/{customer_id}", Verdict(("ann", "mina", "operator"))),
    (
        "POST /v1/customers/{customer_id}/identifiers",
        Verdict(("operator",), _one({"namespace": "card", "value": "M-20417"})),
    ),
    ("POST /v1/customers/{customer_id}/merges", Verdict(("operator",), _old_account)),
    ("POST /v1/merges/{merge_id}/undo", Verdict(("operator",), prepare=_merged)),
    # Sales: a customer's own anywhere but in a shop, a till's in its shop. Who bought gains by a refund: never theirs.
    (
        "POST /v1/orders",
        Verdict(
            ("ann", "operator"),
            _for_ann(SALE | {"channel": "app"}),
            dict.fromkeys(("mina", "noah", "lou", "gone"), 422),
        ),
    ),
    ("POST /v1/orders", Verdict(("mina", "noah", "lou"), _for_ann(TILL), dict.fromkeys((*CUSTOMERS, "operator"), 422))),
    ("GET /v1/orders", Verdict(tuple(who for who in SIGNED_IN if who != "gone"))),
    ("GET /v1/orders?customer_id={customer_id}", _OWNER),
    ("GET /v1/orders/{order_id}", Verdict(("ann", "mina", "noah", "operator"))),
    (
        "POST /v1/orders/{order_id}/refunds",
        Verdict(("noah", "operator"), _one({"amount": {"amount_minor": 1, "currency": "EUR"}})),
    ),
    # Device models: what an operator registers devices as.
    ("GET /v1/device-models", _OPERATOR),
    ("GET /v1/device-models/{model}", _OPERATOR),
    # Unknown devices: whoever lets one in says whose readings they are, so it is an operator's word.
    ("GET /v1/lobby", _OPERATOR),
    ("GET /v1/lobby/{lobby_id}", _OPERATOR),
    ("POST /v1/lobby/{lobby_id}/admit", Verdict(("operator",), _one({"model": "generic-purifier-pct"}))),
    ("POST /v1/lobby/{lobby_id}/refuse", _OPERATOR),
    ("POST /v1/lobby/{lobby_id}/forget", _OPERATOR),
    # What was refused: bytes of anybody's, and whoever mends one makes a reading.
    ("GET /v1/quarantine", _OPERATOR),
    ("GET /v1/quarantine/groups", _OPERATOR),
    ("GET /v1/quarantine/{quarantine_id}", _OPERATOR),
    ("POST /v1/quarantine/retries", Verdict(("operator",), _one({"code": "unknown_serial"}))),
    ("POST /v1/quarantine/{quarantine_id}/retry", _OPERATOR),
    ("POST /v1/quarantine/{quarantine_id}/edits", Verdict(("operator",), _one({"payload": "{}", "dry_run": True}))),
    # What could not be taken as events says what people did.
    ("GET /v1/plan", _OPERATOR),
    ("GET /v1/event-quarantine", _OPERATOR),
    ("GET /v1/event-quarantine/groups", _OPERATOR),
    ("POST /v1/event-quarantine/replays", Verdict(("operator",), _one({"dry_run": True}))),
    ("GET /v1/lobby-rules", _OPERATOR),
    ("POST /v1/lobby-rules", Verdict(("operator",), _one({"format": "homie", "pattern": "b", "model": "reed-tv-55"}))),
    ("POST /v1/lobby-rules/{rule_id}/removal", _OPERATOR),
    ("GET /v1/devices/{serial}/aliases", _OPERATOR),
    ("POST /v1/devices/{serial}/aliases", Verdict(("operator",), _one({"format": "homie", "external_id": "b"}))),
    # What is known of a person: theirs to have and to have erased, or an operator's who was asked.
    ("GET /v1/customers/{customer_id}/export", _OWNER),
    ("POST /v1/customers/{customer_id}/erasure", _OWNER),
    ("GET /v1/audit", _OPERATOR),
    # Registers: what an operator keeps.
    ("POST /v1/customers", Verdict(("operator",), _NAMED)),
    ("GET /v1/customers", _OPERATOR),
    ("POST /v1/stores", Verdict(("operator",), _one({"name": "Pier", "currency": "EUR"}))),
    ("GET /v1/stores", _OPERATOR),
    ("GET /v1/dam/report", _OPERATOR),
    ("POST /v1/staff", Verdict(("operator",), lambda scene: {"name": "Kim", "store_id": scene.world.market.store_id})),
    ("GET /v1/staff", _OPERATOR),
    ("POST /v1/staff/{staff_id}/departure", _OPERATOR),
    ("POST /v1/staff/{staff_id}/badges", _OPERATOR),
    # Whoever has a write key tells what people did: an operator gives it out.
    ("POST /v1/sources", Verdict(("operator",), _one({"name": "App", "kind": "app"}))),
    ("GET /v1/sources", _OPERATOR),
    ("POST /v1/sources/{source_id}/keys", _OPERATOR),
    ("DELETE /v1/sources/{source_id}/keys/{key_id}", _OPERATOR),
    ("GET /v1/segments", _OPERATOR),
    ("GET /v1/segments/schema", _OPERATOR),
    ("POST /v1/segments", Verdict(("operator",), _one({"segment_id": "s", "title": "S", "condition": _ORDERED}))),
    ("POST /v1/segments/preview", Verdict(("operator",), _one({"condition": _ORDERED}))),
    ("GET /v1/segments/{segment_id}/members", _OPERATOR),
]
"""A new call without a verdict fails `test_every_call_has_a_verdict`: ask who gains by it, and add a line."""
