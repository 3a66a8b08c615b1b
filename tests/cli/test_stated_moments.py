"""A moment on the command line is one moment, or one sentence."""

from datetime import UTC, datetime

import pytest

from millpond.cli import WrongUse
from millpond.cli.jobs import parse_at

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_a_moment_is_read_and_none_is_now() -> None:
    assert parse_at(None, NOW) == NOW
    assert parse_at("2026-03-01", NOW) == datetime(2026, 3, 1, tzinfo=UTC)
    assert parse_at("2026-03-01T09:00:00+09:00", NOW) == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-03-01T09:00:00", "2026-02-30", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
)
def test_what_is_no_moment_is_one_sentence(text: str) -> None:
    with pytest.raises(WrongUse, match=r"^--at "):
        parse_at(text, NOW)
    with pytest.raises(WrongUse, match=r"^--start "):
        parse_at(text, NOW, "--start")
