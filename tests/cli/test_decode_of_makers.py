"""`millpond decode` of makers' messages: of each form that is documented, what of which part it says, in which unit."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from devices.profile import shipped_profiles
from ingest.formats.shipped import FORMATS
from ingest.nouns import Delivery, Lane, Limits
from millpond.cli.decode import default_topic, find_format
from millpond.cli.decode_lines import to_lines
from millpond.cli.decode_reading import read_message

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
LIMITS = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
FOLDER = Path(__file__).parents[1] / "ingest" / "decoded"
MESSAGES: list[dict[str, Any]] = [
    one for file in sorted(FOLDER.glob("*.yaml")) for one in yaml.safe_load(file.read_text(encoding="utf-8"))
]
PROFILES = shipped_profiles()
MODELS = {name: profile.model for profile in PROFILES.values() for name in (profile.model, *profile.also)}


def decode(one: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines that `millpond decode` prints of it."""
    topic = one.get("topic", "")
    read_by = find_format(FORMATS, one["format"], topic)
    topic = topic or default_topic(read_by)
    delivery = Delivery(topic, one["payload"].encode(), NOW, Lane.LIVE, 0, 1, 0)
    assert read_by is not None
    model = MODELS[one["model"]] if "model" in one else None
    return to_lines(read_message(read_by, delivery, LIMITS, PROFILES, model))


def told(line: dict[str, Any]) -> list[Any]:
    """Part, measure, value and unit; of what is of no part its metric in the place of the measure."""
    return [line.get("part", ""), line.get("measure") or line["metric"], line["value"], line.get("unit", "")]


@pytest.mark.parametrize("one", MESSAGES, ids=lambda one: f"{one['format']}: {one['name']}")
def test_a_documented_message_becomes_what_its_documentation_says(one: dict[str, Any]) -> None:
    lines = decode(one)
    found = [told(line) for line in lines if line["kind"] in ("reading", "summary")]
    rejections = [line for line in lines if line["kind"] == "rejection"]
    if "refused" in one:
        assert (found, len(rejections)) == ([], 1)
        assert one["refused"] in rejections[0]["reason"]
        return
    assert [want for want in one["decode"] if want not in found] == []
    assert [each for each in found if each[:2] in one.get("no", ()) or each in one.get("never", ())] == []
    if "rejected" in one:
        assert [line["code"] for line in rejections] == one["rejected"]
    assert [line["said"] for line in lines if line["kind"] == "suspect"] == [
        str(name) for name in one.get("suspect", ())
    ]
