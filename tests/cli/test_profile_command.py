"""`millpond profile`: profiles are listed, shown, checked and taken in, and a bad one stops no other."""

import json
from pathlib import Path

import pytest

from devices.profile import DeviceProfile, shipped_profiles
from devices.profile_schema import FILE, write_schema
from devices.profile_text import write_profile
from millpond.kernel.db import connect
from millpond.kernel.yaml_file import read_yaml
from tests.cli.conftest import Run, assert_one_sentence

PROFILE = """model: acme
name: {en: Acme, ko: 에이크미, zh: Acme}
category: air_purifier
metrics:
  filter_used_h: {unit: h, min: 0, max: 100000}
parts:
  - part: filter
    consumable: CONSUMABLE
    prior_life_days: 180
    limits:
      - {metric: filter_used_h, measure: used, capacity: 3000}
speaks:
  dyson:
    age: {metric: filter_used_h, unit: min}
"""
CONSUMABLES = "consumables: [{consumable: acme-filter, name: {en: Acme filter}, sku: ACME-FILTER}]"
CATALOGUE = """products:
  - {sku: ACME-FILTER, name: {en: Acme filter}, category: filter, price_minor: 1990, currency: EUR}
compatibility:
  - {from: REED-AIR-2, to: ACME-FILTER, relation: substitute, evidence: tried}
"""


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, str]:
    """A folder of profiles with a good file and three bad ones, and a catalogue's with a good and a bad one."""
    profiles, catalogue = tmp_path / "profiles", tmp_path / "catalogue"
    profiles.mkdir()
    catalogue.mkdir()
    (profiles / "acme.yaml").write_text(PROFILE.replace("CONSUMABLE", "acme-filter"))
    (profiles / "bad.yaml").write_text("model: [")
    (profiles / "strange.yml").write_text(PROFILE.replace("CONSUMABLE", "no-such").replace("model: acme", "model: b"))
    (profiles / "twice.yaml").write_text(PROFILE.replace("CONSUMABLE", "acme-filter"))
    (profiles / "consumables.yaml").write_text(CONSUMABLES)
    (catalogue / "own.yaml").write_text(CATALOGUE)
    (catalogue / "worse.yaml").write_text(CATALOGUE.replace("to: ACME", "to: NO").replace("sku: ACME", "sku: C"))
    return {"MILLPOND_PROFILES_DIR": str(profiles), "MILLPOND_CATALOGUE_DIR": str(catalogue)}


def test_what_is_good_is_taken_in_and_each_bad_file_is_named(
    millpond: Run, database: str, folders: dict[str, str]
) -> None:
    done = millpond("profile", "load", MILLPOND_DATABASE_URL=database, **folders)
    assert done.returncode == 1
    assert done.stdout == "1 profiles, 1 consumables, 1 products: acme\n"
    assert done.stderr.splitlines()[-1] == "millpond: 4 files were not taken in"
    for file, why in (
        ("bad.yaml", "is not YAML"),
        ("strange.yml", "names something the catalogue does not have"),
        ("twice.yaml", "is of model acme, which acme.yaml has already"),
        ("worse.yaml", "an edge names a product that is not there"),
    ):
        assert [line for line in done.stderr.splitlines() if file in line and why in line]
    with connect(database) as conn:
        row = conn.execute(
            "select speaks #>> '{dyson,age,metric}', c.sku from device_model m"
            " join model_part using (model) join consumable c using (consumable) where m.model = 'acme'"
        )
        assert row.fetchone() == ("filter_used_h", "ACME-FILTER")


def test_migrate_takes_them_in_too_and_a_bad_file_does_not_stop_it(
    millpond: Run, database: str, folders: dict[str, str]
) -> None:
    for _ in range(2):
        done = millpond("migrate", MILLPOND_DATABASE_URL=database, **folders)
        assert (done.returncode, done.stdout) == (0, "the schema is up to date\n")
        assert len(done.stderr.splitlines()) == 4
    with connect(database) as conn:
        assert conn.execute("select count(*) from device_model where model = 'acme'").fetchone() == (1,)


def test_a_folder_that_is_not_there_is_a_fault_and_doctor_names_it(millpond: Run, database: str) -> None:
    where = {"MILLPOND_DATABASE_URL": database, "MILLPOND_PROFILES_DIR": "/nowhere/at/all"}
    assert "folder /nowhere/at/all cannot be read" in millpond("profile", "load", **where).stderr
    done = millpond("doctor", "--only", "profiles", **where)
    assert done.returncode == 1
    assert done.stdout.startswith("✗ profiles     folder /nowhere/at/all cannot be read: No such file or directory")


def test_your_own_are_listed_shown_and_read_by(millpond: Run, folders: dict[str, str]) -> None:
    listed = millpond("profile", "list", **folders)
    assert "reed-air-2" in listed.stdout
    assert [line for line in listed.stdout.splitlines() if "acme" in line and "dyson" in line and "acme.yaml" in line]
    shown = millpond("profile", "show", "acme", **folders)
    assert read_yaml(DeviceProfile, shown.stdout, "shown").parts[0].consumable == "acme-filter"
    decoded = millpond(
        "decode", "--format", "dyson", "--model", "ACME", "-", stdin='{"msg": "x", "age": 90}', **folders
    )
    assert (decoded.returncode, "1.5" in decoded.stdout) == (0, True)
    assert_one_sentence(millpond("profile", "show", "nothing", **folders), "there is no profile of 'nothing'")


@pytest.mark.parametrize("model", sorted(shipped_profiles()))
def test_a_profile_written_as_text_is_the_same_when_it_is_read(model: str) -> None:
    profile = shipped_profiles()[model]
    assert read_yaml(DeviceProfile, write_profile(profile), model) == profile


def test_check_says_what_is_wrong_of_each_file(millpond: Run, tmp_path: Path) -> None:
    good, odd, bad = (tmp_path / name for name in ("good.yaml", "odd.yaml", "bad.yaml"))
    good.write_text(PROFILE.replace("CONSUMABLE", "generic-hepa"))
    odd.write_text(PROFILE.replace("CONSUMABLE", "nothing"))
    bad.write_text(PROFILE.replace("model: acme\n", "").replace("CONSUMABLE", "generic-hepa"))
    done = millpond("profile", "check", good, odd, bad, tmp_path / "none.yaml")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert [line[0] for line in lines] == ["✓", "!", "✗", "✗"]
    assert lines[1].startswith(f"! {odd}:7: parts.0: no consumable is called nothing")
    assert lines[2] == f"✗ {bad}:1: model: model is missing"
    assert done.stderr == "millpond: 2 faults and 1 warnings in 4 profiles\n"
    assert [millpond("profile", "check", *how, odd).returncode for how in ((), ("--strict",))] == [0, 1]


def test_every_profile_that_ships_is_good(millpond: Run) -> None:
    shipped = sorted(Path("devices/profiles").glob("*.yaml"))
    done = millpond("profile", "check", "--strict", *shipped)
    assert (done.returncode, done.stdout.count("✓")) == (0, len(shipped)), done.stdout


def test_the_published_schema_is_that_of_the_program(millpond: Run) -> None:
    assert FILE.read_text(encoding="utf-8") == write_schema(), (
        "run `millpond profile schema > devices/profile.schema.json`"
    )
    assert millpond("profile", "schema").stdout == write_schema()


def test_new_proposes_a_profile_that_check_takes(millpond: Run, tmp_path: Path) -> None:
    recording, profile = tmp_path / "recording.jsonl", tmp_path / "new.yaml"
    said = [{"topic": "zigbee2mqtt/Air", "payload": {"filter_age": n * 60, "pm25": n}} for n in range(9)]
    said.append({"topic": "zigbee2mqtt/Other", "payload": {"pm25": 3}})
    recording.write_text("\n".join(json.dumps(line) for line in said))
    done = millpond("profile", "new", recording, "--model", "acme")
    assert done.stderr == "other devices are in it too, take one with --device: Other\n"
    profile.write_text(done.stdout)
    assert millpond("profile", "check", profile).returncode == 0
    assert "filter_age: {metric: filter_used_h, unit: min}" in done.stdout
    of_other = millpond("profile", "new", recording, "--device", "Other")
    assert ("filter_age" in of_other.stdout, "pm25" in of_other.stdout) == (False, True)


def test_new_says_why_it_proposes_nothing(millpond: Run, tmp_path: Path) -> None:
    payload = tmp_path / "payload"
    payload.write_text("{")
    assert_one_sentence(millpond("profile", "new", payload), "is no recording (lines of topic and payload)")
    done = millpond("profile", "new", payload, "--format", "dyson")
    assert_one_sentence(done, "none of the messages says anything that can be read (1 are of no known format)")
