"""What the words of a property's name say of a part, however they are spelt."""

import pytest

from ingest.formats.everyday import Spoken, read_name


@pytest.mark.parametrize(
    ("name", "part", "measure", "unit"),
    [
        ("filterLife", "filter", "percent_remaining", "pct"),
        ("Air/HEPA Filter/Hours Left", "hepa_filter", "remaining", "h"),
        ("sensor.bedroom_purifier_filter_life_left", "filter", "percent_remaining", "pct"),
        ("water_filter_2_used_days", "water_filter2", "used", "d"),
        ("side-brush-usage", "side_brush", "percent_used", "pct"),
        ("binary_sensor.replace_wick", "wick", "replace_flag", ""),
        ("BlackToner.SerialNumber", "black_toner", "identity", ""),
    ],
)
def test_a_name_says_of_which_part_how_and_in_which_unit(name: str, part: str, measure: str, unit: str) -> None:
    assert read_name(name) == Spoken(part=part, measure=measure, unit=unit)


@pytest.mark.parametrize(
    "name", ["filter", "filter_reset", "life", "filtered_life", "filter_life_of_my_cat", "滤芯", ""]
)
def test_a_name_of_other_words_says_nothing(name: str) -> None:
    assert read_name(name) is None
