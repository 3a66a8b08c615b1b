"""A recorded series drives a fleet: gaps are filled and counted, and what cannot be read is said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from millpond.kernel.errors import InvalidInput
from simulators.life.appliances import live_through
from simulators.life.climate import REGIONS, outdoor_pm25
from simulators.life.drive import load_recording
from simulators.life.households import make_household

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
FIRST_HOUR = int(FIRST.timestamp()) // 3600


def write(path: Path, values: list[str], every: timedelta = timedelta(hours=1)) -> Path:
    rows = [f"{(FIRST + number * every).isoformat()},{value}" for number, value in enumerate(values)]
    path.write_text("\n".join(["time,value", *rows]) + "\n")
    return path


def test_a_recording_is_what_was_measured(tmp_path: Path) -> None:
    recording = load_recording(write(tmp_path / "air.csv", ["10", "12.5", "40"]))
    assert recording.at(FIRST_HOUR + np.arange(3)).tolist() == [10, 12.5, 40]
    assert (recording.measured, recording.interpolated, recording.filled) == (3, 0, 0)


def test_several_values_of_an_hour_are_averaged(tmp_path: Path) -> None:
    recording = load_recording(write(tmp_path / "air.csv", ["10", "20", "40"], timedelta(minutes=30)))
    assert recording.values.tolist() == [15, 40]


def test_a_short_gap_is_a_straight_line_and_a_long_one_what_is_usual_at_that_hour(tmp_path: Path) -> None:
    values = [str(hour % 24) for hour in range(24 * 10)]
    for hour in [30, 31, *range(100, 120)]:
        values[hour] = "" if hour % 2 else "NA"
    recording = load_recording(write(tmp_path / "air.csv", values))
    assert (recording.measured, recording.interpolated, recording.filled) == (218, 2, 20)
    assert np.allclose(recording.values, np.arange(240) % 24)
    assert "218 of 240 hours measured, 2 interpolated, 20 filled" in str(recording)


def test_a_recording_is_repeated_in_whole_weeks_close_to_whole_years(tmp_path: Path) -> None:
    year = [str(hour % 1000) for hour in range(24 * 400)]
    recording = load_recording(write(tmp_path / "air.csv", year))
    hours = FIRST_HOUR + np.arange(24 * 300)
    assert np.array_equal(recording.at(hours), recording.at(hours + 3 * 52 * 168))
    short = load_recording(write(tmp_path / "short.csv", [str(hour) for hour in range(60)]))
    assert short.at(np.array([FIRST_HOUR - 1, FIRST_HOUR + 48])).tolist() == [47, 0]


def test_recorded_air_is_the_air_outside_and_wears_filters() -> None:
    recording = load_recording(Path(str(files("simulators") / "scenarios" / "spring-air.csv")))
    assert recording.measured > 1400
    assert recording.interpolated + recording.filled == 37
    hours = int(datetime(2024, 3, 1, tzinfo=UTC).timestamp()) // 3600 + np.arange(24 * 60)
    region = replace(REGIONS["seoul"], recorded=recording)
    assert np.array_equal(outdoor_pm25(1, region, hours), recording.at(hours))
    home = replace(make_household("home", region, 1), always_on=True)
    use = live_through("air_purifier", home, "one", hours).flows["h"].reshape(60, 24).sum(axis=1)
    air = outdoor_pm25(1, region, hours).reshape(60, 24).mean(axis=1)
    dusty = air > 100
    assert 3 <= dusty.sum() <= 12
    assert use[dusty].mean() > 1.3 * use[~dusty].mean()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n1,2\n", "needs the columns time and value"),
        ("time,value\n2024-01-01T00:00,3\n", r"air\.csv:2: time '2024-01-01T00:00' is not RFC 3339 with an offset"),
        ("time,value\n2024-01-01T00:00Z,3\nnoon,4\n", r"air\.csv:3: time 'noon'"),
        ("time,value\n2024-01-01T00:00Z,thick\n", r"air\.csv:2: value 'thick' is not a number from zero up"),
        ("time,value\n2024-01-01T00:00Z,-3\n", r"air\.csv:2: value '-3' is not a number from zero up"),
        ("time,value\n2024-01-01T00:00Z,\n", "has no value"),
        ("time,value\n1024-01-01T00:00Z,1\n2024-01-01T00:00Z,1\n", "more than a hundred years"),
        ("", "needs the columns"),
    ],
)
def test_a_recording_that_cannot_be_meant_gets_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "air.csv"
    file.write_text(text)
    with pytest.raises(InvalidInput, match=sentence):
        load_recording(file)


def test_a_recording_that_is_not_there_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"air\.csv cannot be read"):
        load_recording(tmp_path / "air.csv")
