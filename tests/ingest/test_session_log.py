"""What ingest says when it cannot speak to its broker."""

import logging

import pytest

from ingest.broker.session import Session
from millpond.embedded.ports import free_port
from millpond.kernel.broker import parse_broker_url
from millpond.kernel.clock import SystemClock
from millpond.kernel.settings import Settings
from tests.ingest.conftest import running_ingest, wait_until


def test_a_broker_that_is_not_there_is_named(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    session = Session(parse_broker_url(f"mqtt://127.0.0.1:{port}"), "nobody", SystemClock(), 100)
    with caplog.at_level(logging.WARNING):
        session.start()
        try:
            wait_until(lambda: f"the broker at 127.0.0.1:{port} cannot be reached" in caplog.text, "a warning")
        finally:
            session.stop()


def test_two_processes_under_one_consumer_id_are_told_so(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), running_ingest(settings), running_ingest(settings):
        wait_until(lambda: "MILLPOND_CONSUMER_ID" in caplog.text, "the hint")
