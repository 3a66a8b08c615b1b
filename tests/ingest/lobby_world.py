"""Unknown devices that speak, and who lets them in."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from devices.registry import register_device
from ingest.formats.format import Formats
from ingest.lobby.admission import As, admit_unknown
from ingest.lobby.known import Stored, store_known
from ingest.lobby.nouns import LobbyState, Unknown
from ingest.lobby.store import select_lobby
from ingest.nouns import Delivery, Lane, Limits
from ingest.storing.batch import StoredBatch, store_batch
from ingest.storing.door import Door
from ingest.storing.terms import Terms
from millpond.kernel.db import WriteConnection
from tests.ingest.hub_format import BOTH

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
MINUTE = timedelta(minutes=1)
LIMITS = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
TERMS = Terms(LIMITS, formats=BOTH)
AIR = As("reed-air-2")


def message(payload: Any, serial: str = "GHOST", at: datetime = NOW, *, retained: bool = False) -> Delivery:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Delivery(f"millpond/v1/{serial}/telemetry", raw, at, Lane.LIVE, 1, 1, 1, retained=retained)


def sample(seq: int, **metrics: float) -> dict[str, Any]:
    ts = int(NOW.timestamp() * 1000) + seq * 1000 - 3_600_000
    return {"boot": "b", "seq": seq, "ts": ts, "metrics": metrics or {"filter_life_pct": 64}}


def bare(**metrics: float) -> dict[str, Any]:
    return {"metrics": metrics or {"filter_life_pct": 64}}


def store(
    conn: WriteConnection,
    *deliveries: Delivery,
    door: Door | None = None,
    at: datetime = NOW,
    formats: Formats = BOTH,
    limits: Limits = LIMITS,
) -> StoredBatch:
    return store_batch(conn, deliveries, limits, consumer="test", at=at, door=door, formats=formats)


def hub(at: datetime = NOW, /, **devices: Any) -> Delivery:
    payload = json.dumps({"at": int(at.timestamp() * 1000), "devices": devices}).encode()
    return Delivery("hub/kitchen", payload, at, Lane.LIVE, 1, 1, 1)


def admit(conn: WriteConnection, who: str, what: As = AIR) -> Any:
    return admit_unknown(conn, who, what, TERMS, at=LATER, by="operator:test")


def look(conn: WriteConnection, most: int = 500) -> Stored:
    return store_known(conn, TERMS, at=LATER, most=most)


def waiting(conn: WriteConnection, state: LobbyState = LobbyState.WAITING) -> list[Unknown]:
    return sorted(select_lobby(conn, state=state), key=lambda one: one.name)


def values(conn: WriteConnection) -> list[tuple[Any, ...]]:
    return conn.execute("select value, received_at from reading order by received_at, value").fetchall()


def register(conn: WriteConnection, serial: str = "GHOST") -> None:
    register_device(conn, serial=serial, model="reed-air-2", installed_at=NOW - timedelta(days=9), at=LATER)
