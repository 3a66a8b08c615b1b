"""Logs are JSON lines on stderr, of the level that was asked for and no other."""

import json
import logging
from collections.abc import Iterator

import pytest

from millpond.kernel.log import configure_logging


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]


def test_a_library_cannot_raise_its_voice_above_the_level(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("error")
    library = logging.getLogger("a.talkative.library")
    library.setLevel(logging.DEBUG)
    library.warning("look at me")
    library.error("it broke")
    assert [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()] == ["it broke"]


def test_a_line_holds_what_was_given_with_it_and_no_message_for_terminals(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    extra = {"event": "served", "color_message": "\x1b[1mserved\x1b[0m"}
    logging.getLogger("server").info("served", extra=extra)
    line = json.loads(capsys.readouterr().err)
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "info", "logger": "server", "message": "served", "event": "served"}
