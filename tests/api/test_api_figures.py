"""The metrics page: one computation for all who ask at once, and whole tables counted seldom."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.metrics import Figures
from api.shared import Shared
from millpond.kernel.db import open_read_pool
from tests.api.world import World


def test_those_who_ask_while_an_answer_is_made_share_the_next_one() -> None:
    made, first_began, go_on = [0], threading.Event(), threading.Event()

    def make() -> int:
        made[0] += 1
        first_began.set()
        go_on.wait()
        return made[0]

    shared = Shared(make, waiters_max=100)
    with ThreadPoolExecutor(20) as threads:
        first = threads.submit(shared.read)
        first_began.wait()
        others = [threads.submit(shared.read) for _ in range(19)]
        while shared.waiters < 20:
            threading.Event().wait(0.001)
        go_on.set()
        assert first.result() == 1
        # Begun after they came, so that it knows what happened before they asked.
        assert {each.result() for each in others} == {2}
    assert made == [2]


def test_who_comes_when_enough_wait_is_given_the_last_answer() -> None:
    shared = Shared(iter(range(100)).__next__, waiters_max=0)
    assert [shared.read() for _ in range(3)] == [0, 0, 0]


def test_a_kept_answer_serves_until_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("api.shared.monotonic", lambda: now[0])
    shared = Shared(iter(range(100)).__next__, keep_s=5)
    assert [shared.read(), shared.read()] == [0, 0]
    now[0] = 4.9
    assert shared.read() == 0
    now[0] = 5.1
    assert shared.read() == 1


def test_what_takes_long_is_made_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def make() -> float:
        now[0] += 3
        return now[0]

    monkeypatch.setattr("api.shared.monotonic", lambda: now[0])
    shared = Shared(make, keep_s=5)
    assert shared.read() == 3
    now[0] = 62
    assert shared.read() == 3
    now[0] = 64
    assert shared.read() == 67


def test_an_answer_that_fails_is_not_kept() -> None:
    answers: Iterator[ValueError | int] = iter([ValueError("away"), 7])

    def make() -> int:
        answer = next(answers)
        if isinstance(answer, ValueError):
            raise answer
        return answer

    shared = Shared(make, keep_s=5)
    with pytest.raises(ValueError, match="away"):
        shared.read()
    assert shared.read() == 7


def test_whole_tables_are_counted_once_and_ingest_each_time(world: World) -> None:
    """With the tables locked, whoever counted them again would wait."""
    with open_read_pool(world.dsn, max_size=2) as reads, world.connect() as conn:
        figures = Figures(reads, world.clock, keep_s=3600)
        assert "millpond_devices 2.0" in figures.page().decode()
        with conn.transaction():
            for table in ("device", "customer", "offer", "quarantine", "posting", "device_status"):
                conn.execute(f"lock table {table} in access exclusive mode")
            conn.execute("savepoint seen")
            assert "millpond_devices 2.0" in figures.page().decode()
        conn.execute(
            "insert into ingest_minute (consumer, minute, messages, received, stored, duplicate, conflict, quarantined)"
            " values ('c', '2026-03-01', 1, 1, 1, 0, 0, 0)"
        )
        assert "millpond_ingest_received_total 1.0" in figures.page().decode()
