"""Devices that speak in the world of the API's tests, and that nobody registered."""

import json
from datetime import timedelta

from ingest.lobby.admission import make_rule
from ingest.nouns import Delivery, Lane, Limits
from ingest.storing.batch import store_batch
from ingest.workbench.nouns import Filter
from ingest.workbench.store import select_refused_items
from tests.api.world import NOW, World

LIMITS = Limits(262_144, timedelta(days=365), timedelta(minutes=5))


def let_speak(world: World, *serials: str, samples: int = 3) -> None:
    """Each says some samples of a purifier with one filter, a minute apart."""
    deliveries = [
        Delivery(f"millpond/v1/{serial}/telemetry", _sample(seq), NOW, Lane.LIVE, 1, 1, 1)
        for serial in serials
        for seq in range(1, samples + 1)
    ]
    with world.connect() as conn:
        store_batch(conn, deliveries, LIMITS, consumer="test", at=NOW)


def _sample(seq: int) -> bytes:
    at = NOW - timedelta(minutes=60 - seq)
    return json.dumps({"boot": "b", "seq": seq, "ts": at.isoformat(), "metrics": {"filter_life_pct": 64}}).encode()


def send_bad(world: World, serial: str, payload: bytes = b'{"metrics":{"filter_used_h":-1,}}') -> str:
    """A registered device says what is refused: the number of its item in quarantine."""
    delivery = Delivery(f"millpond/v1/{serial}/telemetry", payload, NOW, Lane.LIVE, 1, 1, 1)
    with world.connect() as conn:
        store_batch(conn, [delivery], LIMITS, consumer="test", at=NOW)
        return str(select_refused_items(conn, Filter(serial=serial), limit=1)[0].quarantine_id)


def add_rule(world: World) -> str:
    """A rule for devices of a hub: its id."""
    said = {"format_name": "hub", "pattern": "purifier-*", "model": "generic-purifier-pct", "region": ""}
    with world.connect() as conn:
        return make_rule(conn, **said, at=NOW, by="operator:ops").rule_id
