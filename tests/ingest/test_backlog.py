"""A backlog larger than memory may hold: ingest stops listening, stores what it has, and hears the rest again."""

import json

from ingest.session import Session
from millpond.kernel.broker import parse_broker_url
from millpond.kernel.clock import SystemClock
from millpond.kernel.settings import Settings
from tests.ingest.conftest import TestDevice, fetch, running_ingest, wait_until


def payload(seq: int) -> str:
    return json.dumps({"boot": "b", "seq": seq, "ts": 1_771_234_567_000 + seq * 60_000, "metrics": {"fan_level": 3}})


def test_a_backlog_beyond_the_limit_is_stored_whole_and_memory_stays_bounded(
    settings: Settings, device: TestDevice, database: str
) -> None:
    most = 50
    with running_ingest(settings) as known:
        wait_until(lambda: known.subscribed, "the broker to keep what comes")
    for seq in range(1, 301):
        device.publish(payload(seq))
    session = Session(
        parse_broker_url(settings.broker_url.get_secret_value()), settings.consumer_id, SystemClock(), most
    )
    session.start()
    wait_until(lambda: session.inbox.waiting() >= most, "the backlog to reach the limit")
    assert session.inbox.waiting() == most
    session.stop()
    small = settings.model_copy(update={"in_flight_max_messages": most, "clock_past_days": 36_500.0})
    with running_ingest(small):
        device.wait_for_ack(300)
    assert fetch(database, "select count(*) from reading") == [(300,)]


def test_an_ingest_that_the_broker_does_not_answer_is_not_connected(settings: Settings, broker_url: str) -> None:
    from proof.proxy import Link, Proxy

    proxy = Proxy(parse_broker_url(broker_url).port)
    behind = settings.model_copy(update={"broker_url": type(settings.broker_url)(f"mqtt://127.0.0.1:{proxy.port}")})
    try:
        with running_ingest(behind) as session:
            proxy.set(Link.BLACK_HOLE)
            wait_until(lambda: not session.connected, "the silence to be noticed")
            proxy.set(Link.CLEAR)
            wait_until(lambda: session.connected, "the answer")
            assert session.connected
    finally:
        proxy.close()
