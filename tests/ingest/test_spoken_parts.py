"""From what a model says in its language to its parts: every measure tells of a new one, and nonsense of none."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devices.nouns import EndedBy
from devices.parts.installations import update_installations
from devices.profile import DeviceProfile
from devices.registry import register_device, register_model
from devices.store import select_installations
from ingest.formats.format import Formats
from ingest.formats.spoken import raw
from ingest.nouns import Delivery, Lane, Limits, Tally
from ingest.storing.batch import store_batch
from millpond.kernel.db import WriteConnection
from millpond.kernel.yaml_file import read_yaml
from tests.ingest.test_spoken import parse

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
LIMITS = Limits(65_536, timedelta(days=365), timedelta(minutes=5))
FORMATS = Formats(raw("acme", parse))
PROFILE = """
model: acme-water
name: {en: Acme, ko: A, zh: A}
category: water_purifier
metrics:
  left_pct: {unit: pct, min: 0, max: 100}
  used_pct: {unit: pct, min: 0, max: 100}
  left_d: {unit: d, min: 0, max: 400}
  used_h: {unit: h, min: 0, max: 20000}
  used_l: {unit: litres, min: 0, max: 20000}
  replace: {kind: boolean}
  state: {kind: state, states: [good, low, exhausted]}
  tag: {kind: state}
parts:
  - part: filter
    consumable: generic-hepa
    prior_life_days: 180
    limits:
      - {metric: left_pct, measure: percent_remaining}
      - {metric: used_pct, measure: percent_used}
      - {metric: left_d, measure: remaining, capacity: 180, most_per_day: 2}
      - {metric: used_h, measure: used, capacity: 4320}
      - {metric: used_l, measure: used, capacity: 3600, most_per_day: 100}
      - {metric: replace, measure: replace_flag}
      - {metric: state, measure: state, due: [exhausted]}
      - {metric: tag, measure: identity}
speaks:
  acme:
    left: {metric: left_pct, none: [INV]}
    used: used_pct
    days: left_d
    seconds: {metric: used_h, unit: s}
    ml: {metric: used_l, unit: ml}
    replace: {metric: replace, values: {REPLACE: true, OK: false}}
    state: {metric: state, values: {1: good, 3: low, 4: exhausted}}
    tag: {metric: tag, none: ["0:0:0"]}
"""


def say(conn: WriteConnection, said: Sequence[dict[str, Any]]) -> Tally:
    """One message a day from `START`, stored as of when it came, and what became of all of them."""
    register_model(conn, read_yaml(DeviceProfile, PROFILE, "acme.yaml"))
    register_device(conn, serial="W-1", model="acme-water", installed_at=START, at=START)
    tally = Tally()
    for number, values in enumerate(said):
        at = START + number * DAY
        payload = json.dumps({"at": int(at.timestamp() * 1000), "values": values}).encode()
        delivery = Delivery("millpond/v1/W-1/raw/acme", payload, at, Lane.LIVE, 1, 1, 1)
        tally += store_batch(conn, [delivery], LIMITS, consumer="test", at=at, formats=FORMATS).tally
    return tally


def endings(conn: WriteConnection, days: int) -> list[tuple[str | None, int]]:
    """What ended the filters up to a day, and on which day."""
    update_installations(conn, START + days * DAY)
    device_id = conn.execute("select device_id from device where serial = 'W-1'").fetchone()
    assert device_id is not None
    parts = select_installations(conn, device_id[0])
    return [(part.ended_by, (part.ended_at - START) // DAY) for part in parts if part.ended_at is not None]


@pytest.mark.parametrize(
    ("said", "values", "cause"),
    [
        ("left", [14, 13, 12, "100", 100, 99], EndedBy.PERCENT_RISE),
        ("used", [88, 89, 90, 0, 0, 1], EndedBy.PERCENT_RISE),
        ("days", [7, 6, 5, 180, 179, 178], EndedBy.COUNTER_FALL),
        ("seconds", [14_400_000, 14_480_000, 14_560_000, 0, 80_000, 160_000], EndedBy.COUNTER_FALL),
        ("ml", [3_000_000, 3_010_000, 3_020_000, 500, 12_000, 20_000], EndedBy.COUNTER_FALL),
        ("replace", ["OK", "REPLACE", "REPLACE", "OK", "OK", "OK"], EndedBy.REPLACED_EVENT),
        ("state", [1, 3, 4, 1, 1, 1], EndedBy.REPLACED_EVENT),
        ("tag", ["80:52", "80:52", "0:0:0", "81:6b", "81:6b", "81:6b"], EndedBy.IDENTITY_CHANGE),
    ],
)
def test_every_measure_tells_of_a_new_part(conn: WriteConnection, said: str, values: list[Any], cause: EndedBy) -> None:
    say(conn, [{said: value} for value in values])
    assert endings(conn, 6) == [(cause, 3)]


def test_all_signs_of_one_new_part_are_one(conn: WriteConnection) -> None:
    old = {"left": 12, "seconds": 13_600_000, "tag": "A", "state": 4}
    new = {"left": 100, "seconds": 60, "tag": "B", "state": 1}
    say(conn, [old, old, old, new, new | {"seconds": 80_000}, new | {"seconds": 160_000}])
    assert endings(conn, 6) == [(EndedBy.IDENTITY_CHANGE, 3)]


@pytest.mark.parametrize(
    ("said", "good", "impossible"),
    [
        ("left", 64, [137, "INV", 65_535, -1, None, "n/a"]),
        ("seconds", 9_000_000, [-60, 4_294_967_295, "INV", 1e300]),
        ("ml", 900_000, [-5, 2**63, True]),
        ("days", 90, [65_535, -1, []]),
        ("state", 1, [0, 7, "?"]),
    ],
)
def test_what_cannot_be_never_ends_a_part(conn: WriteConnection, said: str, good: Any, impossible: list[Any]) -> None:
    tally = say(conn, [{said: good}, {said: good}, *({said: value} for value in impossible), {said: good}])
    assert tally.stored == 3
    assert tally.quarantined == len([value for value in impossible if value not in ("INV", None) or said != "left"])
    assert endings(conn, len(impossible) + 3) == []


@pytest.mark.parametrize(("said", "values"), [("left", [64, 63, 64, 63, 62, 63]), ("days", [50, 49, 50, 49, 48, 49])])
def test_noise_of_one_step_ends_nothing(conn: WriteConnection, said: str, values: list[Any]) -> None:
    say(conn, [{said: value} for value in values])
    assert endings(conn, 6) == []
