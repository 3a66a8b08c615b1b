"""How a profile says what a model's properties mean, and the units in which they come."""

from datetime import UTC, datetime

import pytest

from devices.profile import DeviceProfile, shipped_profiles
from devices.registry import register_model
from devices.store import select_speaks
from devices.units import find_unit, step_between, unit_names
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput
from millpond.kernel.migrate import migrate
from millpond.kernel.yaml_file import read_yaml
from tests.old_database import old_database

AT = datetime(2026, 2, 1, tzinfo=UTC)
PROFILE = """
model: acme
name: {en: A, ko: A, zh: A}
category: air_purifier
metrics: {used_h: {unit: h}, life_pct: {unit: pct}, on: {kind: boolean}, power_w: {unit: W}}
speaks:
"""


def read(speaks: str) -> DeviceProfile:
    return read_yaml(DeviceProfile, PROFILE + speaks, "acme.yaml")


def test_what_a_model_speaks_is_kept_as_ingest_needs_it(conn: WriteConnection) -> None:
    profile = read('  dyson: {"4.3": life_pct, age: {metric: used_h, unit: Minutes, scale: 2, none: [65535, INV]}}')
    register_model(conn, profile)
    assert select_speaks(conn)["dyson"]["acme"] == profile.meanings("dyson")
    meaning = profile.meanings("dyson")["age"]
    assert (meaning.metric, meaning.scale, meaning.none, meaning.unit) == (
        "used_h",
        1 / 30,
        ("65535", "INV"),
        "Minutes",
    )


def test_what_is_not_spoken_any_more_is_forgotten(conn: WriteConnection) -> None:
    register_model(conn, read("  dyson: {life: life_pct}"))
    register_model(conn, read("  miot: {life: life_pct}"))
    assert [name for name, models in select_speaks(conn).items() if "acme" in models] == ["miot"]


@pytest.mark.parametrize(
    ("speaks", "sentence"),
    [
        ("  dyson: {life: lief_pct}", "acme.yaml, top level: speaks.dyson.life: acme has no metric lief_pct"),
        ("  dyson: {life: {metric: used_h, unit: litres}}", "used_h is in 'h', and 'litres' is not a unit of the same"),
        ("  dyson: {life: {metric: used_h, unit: moons}}", "used_h is in 'h', and 'moons' is none of s, ms, min, h, d"),
        ("  dyson: {life: {metric: used_h, scale: 0}}", "scale 0 makes every value the same"),
        ("  dyson: {life: {metric: used_h, scal: 2}}", "speaks.dyson.life.scal: Extra inputs are not permitted"),
        ("  miot: {4.3: life_pct}", "Input should be a valid string"),
        ("  MIoT: {life: life_pct}", "String should match pattern"),
    ],
)
def test_what_cannot_be_meant_is_said_in_one_sentence(speaks: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        read(speaks)


@pytest.mark.parametrize(
    ("value", "unit", "to", "converted"),
    [
        (90, "min", "h", 1.5),
        (2, "Days", "h", 48),
        (1500, "mL", "L", 1.5),
        (1500, "ml", "litres", 1.5),
        (2, "kWh", "Wh", 2000),
        (0.5, "fraction", "%", 50),
        (212, "°F", "C", 100),
        (0.012, "mg/m³", "ug/m3", 12),
        (7, "moons", "moons", 7),
    ],
)
def test_a_value_goes_from_one_unit_to_another_of_its_kind(value: float, unit: str, to: str, converted: float) -> None:
    step = step_between(unit, to)
    assert step is not None
    assert value * step.scale + step.offset == pytest.approx(converted)


def test_between_kinds_there_is_no_way() -> None:
    assert [step_between("h", "litres"), step_between("moons", "h"), step_between("", "h")] == [None] * 3


def test_every_unit_of_what_ships_is_a_known_one() -> None:
    units = {metric.unit for profile in shipped_profiles().values() for metric in profile.metrics.values()} - {""}
    assert [unit for unit in units if find_unit(unit) is None] == []
    assert [unit for unit in unit_names() if find_unit(unit) != unit] == []


def test_models_of_a_database_that_did_not_know_languages_come_along(server_dsn: str) -> None:
    with old_database(server_dsn, "0170") as conn:
        conn.execute("insert into device_model (model, name, category) values ('mine', '{\"en\": \"Mine\"}', 'tv')")
        migrate(conn, at=AT)
        assert conn.execute("select speaks from device_model where model = 'mine'").fetchone() == ({},)
