"""A backlog larger than memory may hold: ingest stops listening, stores what it has, and hears the rest again."""

import json
from datetime import UTC, datetime

from ingest.broker.inbox import Inbox
from ingest.broker.link import READ_BYTES
from ingest.broker.session import Session
from ingest.nouns import Delivery, Lane
from ingest.service import collect_batch
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
    size = 10_000
    for seq in range(1, 301):
        device.publish(payload(seq).ljust(size))
    session = Session(
        parse_broker_url(settings.broker_url.get_secret_value()), settings.consumer_id, SystemClock(), most
    )
    session.start()
    wait_until(lambda: session.inbox.waiting() >= most, "the backlog to reach the limit")
    # What is read from the socket at once is delivered at once.
    assert session.inbox.waiting() <= most + READ_BYTES // size
    session.stop()
    small = settings.model_copy(update={"in_flight_max_messages": most, "clock_past_days": 36_500.0})
    with running_ingest(small):
        device.wait_for_ack(300)
    assert fetch(database, "select count(*) from reading") == [(300,)]


def test_a_backlog_beyond_the_limit_of_bytes_is_stored_whole_and_memory_stays_bounded(
    settings: Settings, device: TestDevice, database: str
) -> None:
    large, most_bytes = b"x" * 100_000, 1_000_000
    with running_ingest(settings) as known:
        wait_until(lambda: known.subscribed, "the broker to keep what comes")
    for number in range(40):
        device.publish(b"%d" % number + large)
    small = settings.model_copy(update={"in_flight_max_bytes": most_bytes, "batch_max_bytes": 250_000})
    session = Session(
        parse_broker_url(settings.broker_url.get_secret_value()),
        settings.consumer_id,
        SystemClock(),
        settings.in_flight_max_messages,
        most_bytes,
    )
    session.start()
    wait_until(lambda: session.inbox.waiting_bytes() >= most_bytes, "the backlog to reach the limit")
    assert (session.inbox.waiting(), session.inbox.waiting_bytes()) == (
        10,
        sum(len(b"%d" % n + large) for n in range(10)),
    )
    # The rest comes as soon as there is room, on the same connections.
    sizes = [len(batch) for batch in iter(lambda: collect_batch(session, small), [])]
    assert (sum(sizes), max(sizes)) == (40, 2)
    assert session.epoch == 2
    session.stop()
    with running_ingest(small):
        wait_until(lambda: fetch(database, "select count(*) from quarantine") == [(40,)], "all to be stored")


def test_a_message_larger_than_a_batch_is_a_batch_of_its_own() -> None:
    inbox = Inbox(100, 1_000_000)
    for size in (10, 5_000, 10):
        inbox.put(Lane.LIVE, [Delivery("t", b"x" * size, datetime(2026, 1, 1, tzinfo=UTC), Lane.LIVE, 1, 1, 1)])
    batches = [inbox.take(100, 100, 0) for _ in range(3)]
    assert [[len(delivery.payload) for delivery in batch] for batch in batches] == [[10], [5_000], [10]]
    assert inbox.waiting_bytes() == 0


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


def test_a_batch_that_is_filled_step_by_step_stays_within_its_bytes() -> None:
    inbox, batch = Inbox(100, 1_000_000), list[Delivery]()
    for size in (40, 40, 15, 10):
        inbox.put(Lane.LIVE, [Delivery("t", b"x" * size, datetime(2026, 1, 1, tzinfo=UTC), Lane.LIVE, 1, 1, 1)])
        inbox.fill(Lane.LIVE, batch, 100, 100, 5)
    assert [len(delivery.payload) for delivery in batch] == [40, 40, 15]
    assert inbox.waiting_bytes() == 10
