"""Times as devices say them: RFC 3339 in full, and nothing that only looks like it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.wire_time import parse_ts

TIMES: list[tuple[Any, datetime | None]] = [
    ("2026-02-16T09:00:00+09:00", datetime(2026, 2, 16, tzinfo=UTC)),
    ("2026-02-16t00:00:00z", datetime(2026, 2, 16, tzinfo=UTC)),
    ("2026-02-16 00:00:00Z", datetime(2026, 2, 16, tzinfo=UTC)),
    ("2026-02-16T00:00:00-00:00", datetime(2026, 2, 16, tzinfo=UTC)),
    ("2026-02-16T00:00:00.5Z", datetime(2026, 2, 16, 0, 0, 0, 500_000, tzinfo=UTC)),
    ("2026-02-16T00:00:00.123456789012345678901234567890Z", datetime(2026, 2, 16, 0, 0, 0, 123_456, tzinfo=UTC)),
    ("2026-02-15T18:29:00-05:31", datetime(2026, 2, 16, tzinfo=UTC)),
    ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
    ("2017-01-01T08:59:60.25+09:00", datetime(2017, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC)),
    ("0000-01-01T00:00:00Z", None),
    ("0001-01-01T00:00:00+01:00", None),
    ("9999-12-31T23:59:60Z", None),
    (1_771_200_000_000, datetime(2026, 2, 16, tzinfo=UTC)),
    (1_771_200_000_000.5, datetime(2026, 2, 16, 0, 0, 0, 500, tzinfo=UTC)),
    (10**30, None),
    (10**400, None),
    (-(10**400), None),
    (1e308, None),
    (None, None),
]
NONE_OF_THEM: list[Any] = [
    "2026-W07-1T00:00:00Z",
    "2026W071T000000Z",
    "2026-047T00:00:00Z",
    "20260216T000000Z",
    "2026-02-16",
    "2026-02-16T00:00Z",
    "2026-02-16T00Z",
    "2026-02-16T00:00:00+09",
    "2026-02-16T00:00:00+0900",
    "2026-02-16T00:00:00+09:00:30",
    "2026-02-16T00:00:00,5Z",
    "2026-02-16T00:00:00.Z",
    "2026-02-16T24:00:00Z",
    "2026-02-16T12:00:60Z",
    "2026-02-30T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-02-16T00:00:61Z",
    "2026-02-16T00:00:00+24:00",
    "2026-02-16T00:00:00+09:60",
    "2026-02-16T00:00:00Z ",
    " 2026-02-16T00:00:00Z",
    "2026-02-16_00:00:00Z",
    "2026-02-16T00:00:00Z\n",
    "٢٠٢٦-02-16T00:00:00Z",
    "+2026-02-16T00:00:00Z",
    "yesterday",
    "",
    True,
    [1771200000000],
    {"ts": 1771200000000},
    float("nan"),
    float("inf"),
]


@pytest.mark.parametrize(("ts", "moment"), TIMES, ids=lambda value: str(value)[:40])
def test_a_time_is_read_as_rfc_3339_says(ts: Any, moment: datetime | None) -> None:
    assert parse_ts(ts) == moment


@pytest.mark.parametrize("ts", NONE_OF_THEM, ids=repr)
def test_what_is_not_rfc_3339_is_refused(ts: Any) -> None:
    with pytest.raises(ValueError, match=r"^ts .* (is neither epoch milliseconds nor RFC 3339|is not a time)$"):
        parse_ts(ts)


def test_a_time_without_an_offset_is_refused_with_that_reason() -> None:
    with pytest.raises(ValueError, match="has no offset from UTC"):
        parse_ts("2026-02-16T00:00:00.5")


@pytest.mark.parametrize("ts", [["x" * 10_000] * 100, {"x": "y" * 10_000}, "y" * 10_000, [[[[[[]]]]]], 10**5000 > 0])
def test_a_refusal_repeats_little_of_what_came(ts: Any) -> None:
    with pytest.raises(ValueError, match=r"^ts ") as refused:
        parse_ts(ts)
    assert len(str(refused.value)) < 100


moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1))  # noqa: DTZ001  # hypothesis wants naive bounds
offsets = st.integers(-(24 * 60 - 1), 24 * 60 - 1)


@given(moments, offsets, st.sampled_from("Tt "))
def test_every_moment_is_read_back_whatever_its_offset(moment: datetime, minutes: int, mark: str) -> None:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    text = f"{moment.isoformat(mark, timespec='microseconds')}{sign}{hours:02}:{rest:02}"
    assert parse_ts(text) == moment.replace(tzinfo=UTC) - timedelta(minutes=minutes)


@given(st.text(max_size=30) | st.from_regex(r"[0-9TtZz:.+\- ]{0,30}"))
def test_no_text_makes_it_fail_otherwise(text: str) -> None:
    try:
        moment = parse_ts(text)
    except ValueError as error:
        assert str(error).startswith("ts ")  # noqa: PT017  # whether it fails is not known
    else:
        assert moment is None or moment.tzinfo is UTC
