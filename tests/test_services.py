"""Services in threads: what ends early is noticed, and what is started ends."""

import signal
import threading

import pytest

from millpond.kernel.errors import Unavailable
from millpond.services import in_thread, until_signalled


def test_a_service_that_dies_ends_the_wait_and_says_why() -> None:
    def die(_stop: threading.Event) -> None:
        raise RuntimeError("out of luck")

    waiting = threading.Event()
    with pytest.raises(Unavailable, match="ingest ended early: out of luck"), in_thread("ingest", die, waiting.set):
        assert waiting.wait(10)


def test_a_service_is_asked_to_stop_and_waited_for() -> None:
    ended = []

    def serve(stop: threading.Event) -> None:
        stop.wait(30)
        ended.append(stop.is_set())

    with in_thread("service", serve):
        assert ended == []
    assert ended == [True]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_the_wait_and_are_put_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with until_signalled() as stop:
        signal.raise_signal(number)
        assert stop.is_set()
    assert signal.getsignal(number) == before
