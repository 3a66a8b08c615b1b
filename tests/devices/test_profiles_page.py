"""What docs/profiles.md and docs/formats.md say of units, keys and languages is so."""

import re
from pathlib import Path

from devices.nouns import Measure
from devices.profile import DeviceProfile
from devices.units import unit_names
from ingest.formats.shipped import FORMATS

PROFILES = Path("docs/profiles.md").read_text(encoding="utf-8")
LANGUAGES = Path("docs/formats.md").read_text(encoding="utf-8")


def test_the_page_names_every_unit_key_and_measure() -> None:
    named = set(re.findall(r"`([^`\n]+)`", PROFILES))
    wanted = {*unit_names(), *DeviceProfile.model_fields, *map(str, Measure)}
    assert sorted(wanted - named) == []


def test_every_language_that_is_read_has_a_place_on_its_page() -> None:
    ours = "millpond-v1"
    assert [one.language for one in FORMATS.all if one.language != ours and f"`{one.language}`" not in LANGUAGES] == []
