"""`millpond decode` of makers' messages: of each form that is documented, what of which part it says, in which unit."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

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
LONG = [{"type": "é" * 300, "left": 5, "total": 10}]
ODD = [
    None,
    True,
    -1,
    10**30,
    1.5,
    "",
    "x",
    '{"a": 1}',
    "[1, 2",
    "[{}]",
    [],
    {},
    [None],
    {"": None},
    "\0",
    "é" * 300,
    "NaN",
]
PROFILES = shipped_profiles()
MODELS = {name: profile.model for profile in PROFILES.values() for name in (profile.model, *profile.also)}


def decode(one: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines that `millpond decode` prints of it."""
    topic = one.get("topic", "")
    read_by = find_format(FORMATS, one["format"], topic)
    topic = topic or default_topic(read_by)
    payload = one["payload"]
    payload = payload if isinstance(payload, bytes) else payload.encode(errors="replace")
    delivery = Delivery(topic, payload, NOW, Lane.LIVE, 0, 1, 0)
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


def places(content: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a message, as what it is in and its key there."""
    keys = list(content) if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else ()
    for key in keys:
        yield content, key
        yield from places(content[key])


def spoil(payload: str, data: st.DataObject) -> str:
    """The message with another value in one place, and cut off somewhere; one that is no JSON is only cut off."""
    try:
        content = json.loads(payload)
    except ValueError:
        return payload[: data.draw(st.integers(0, len(payload)))]
    if found := list(places(content)):
        inside, key = data.draw(st.sampled_from(found))
        inside[key] = data.draw(st.sampled_from(ODD))
    spoilt = json.dumps(content)
    return data.draw(st.sampled_from([spoilt, spoilt, spoilt[: data.draw(st.integers(0, len(spoilt)))]]))


@given(one=st.sampled_from(MESSAGES), data=st.data())
def test_a_documented_message_that_is_spoilt_is_refused_with_a_sentence(
    one: dict[str, Any], data: st.DataObject
) -> None:
    lines = decode(one | {"payload": spoil(one["payload"], data)})
    refused = [line for line in lines if line["kind"] == "rejection"]
    assert [line for line in refused if line["code"] == "undecodable" or not 0 < len(line["reason"]) < 300] == []


def test_a_part_with_too_long_a_name_is_passed_over() -> None:
    lines = decode({"format": "ecovacs", "payload": json.dumps(LONG)})
    assert {line["kind"] for line in lines} == {"passed_over"}


@pytest.mark.parametrize("payload", [b"\xff\xfe{}", b'{"a": "\xc3"}', b"\x80", b"\0\0"])
@pytest.mark.parametrize("language", sorted({one["format"] for one in MESSAGES}))
def test_bytes_that_are_no_text_are_refused_with_a_sentence(language: str, payload: bytes) -> None:
    (line,) = decode({"format": language, "payload": payload})
    assert (line["kind"], line["code"]) == ("rejection", "malformed")
    assert line["reason"].startswith("the payload is not")
