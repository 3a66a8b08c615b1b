"""The proof's hub, which says neither numbers nor times: what it notes, and an oracle that sees what became of it."""

from dataclasses import replace
from pathlib import Path

from millpond.embedded.broker import Broker
from millpond.kernel.broker import parse_broker_url
from millpond.kernel.clock import SystemClock
from millpond.kernel.waiting import wait_until
from proof.hub import Hub, serial_of
from proof.hub_oracle import Said, compare_hub, read_said
from proof.oracle import Account, Row

SAID = [Said(number, 1_000 * number) for number in (1, 2, 3)]


def row_of(said: Said, *, after_ms: int = 5) -> Row:
    at_us = 1_000 * (said.sent_ms + after_ms)
    return Row(serial_of(int(said.value)), "filter_used_h", said.value, at_us, corrected=True, conflict=False)


ROWS = [row_of(one) for one in SAID]


def test_all_is_well_when_every_value_is_there_once() -> None:
    assert compare_hub(SAID, ROWS) == (Account(sent=3, stored=3), 0)


def test_a_value_that_is_there_at_two_times_is_duplicated() -> None:
    assert compare_hub(SAID, [*ROWS, row_of(SAID[0], after_ms=900)])[0].faults == {"duplicated": 1}


def test_a_value_that_is_not_there_is_lost_unless_the_broker_may_have_forgotten_it() -> None:
    assert compare_hub(SAID, ROWS[1:]) == (Account(sent=3, stored=2, lost=1), 0)
    forgotten = [replace(SAID[0], owed=False), *SAID[1:]]
    assert compare_hub(forgotten, ROWS[1:]) == (Account(sent=2, stored=2), 1)
    assert compare_hub(forgotten, [*ROWS, ROWS[0]])[0].faults == {"duplicated": 1}, "that excuses no second one"


def test_a_value_that_nobody_said_or_at_a_time_before_it_was_is_wrong() -> None:
    assert compare_hub(SAID, [*ROWS, row_of(Said(9, 9_000))])[0].faults == {"phantom": 1}
    assert compare_hub(SAID, [*ROWS[:2], row_of(SAID[2], after_ms=-1)])[0].faults == {"corrupt": 1}


def test_what_was_not_confirmed_or_was_said_just_before_a_connection_ended_is_not_owed(tmp_path: Path) -> None:
    path = tmp_path / "journal.hub"
    path.write_text("S 1 1000\nC 1\nS 2 5000\nC 2\nE 7000\nS 3 8000\n")
    assert read_said(path) == [Said(1, 1_000), Said(2, 5_000, owed=False), Said(3, 8_000, owed=False)]


def test_it_says_each_value_once_whatever_becomes_of_the_connection(tmp_path: Path) -> None:
    path = tmp_path / "journal.hub"

    def confirmed() -> int:
        hub.step(measuring=True)
        return path.read_text().count("C ")

    with Broker(tmp_path / "broker") as broker, Hub(parse_broker_url(broker.url), path, 500, SystemClock()) as hub:
        wait_until(lambda: confirmed() > 20, "the broker to confirm", timeout_s=20)
        broker.kill()
        before = confirmed()
        wait_until(lambda: confirmed() and "E " in path.read_text(), "the hub to notice", timeout_s=20)
        broker.start()
        wait_until(lambda: confirmed() > before + 20, "the broker to confirm again", timeout_s=20)
    said = read_said(path)
    assert [one.value for one in said] == list(range(1, len(said) + 1)), "each number once"
    assert path.read_text().count("E ") == 1
