"""One lane at a broker that misbehaves, goes away or is slow: nothing is lost, and nothing stands still."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.broker import packets
from ingest.broker.inbox import Inbox
from ingest.broker.lane import LaneConnection
from ingest.broker.outbox import Outbox
from ingest.broker.packet_ids import PacketIds
from ingest.broker.packets import Answer, Kind
from ingest.nouns import Delivery, Lane
from millpond.embedded.broker import Broker
from millpond.kernel.broker import TlsFiles, parse_broker_url
from millpond.kernel.clock import SystemClock
from tests.certificates import write_certificates
from tests.ingest.conftest import wait_until
from tests.ingest.played_broker import DISCONNECT, PINGREQ, SUBSCRIBE, PlayedBroker, mids

PUBREC, PUBCOMP = 5, 7


@pytest.fixture
def broker() -> Iterator[PlayedBroker]:
    with PlayedBroker() as played:
        yield played


@contextmanager
def connected(broker: PlayedBroker, inbox: Inbox) -> Iterator[LaneConnection]:
    """A lane that the broker has just accepted."""
    lane = LaneConnection(Lane.LIVE, ["t/#"], parse_broker_url(broker.url), "test", inbox, SystemClock())
    lane.start()
    try:
        broker.accept()
        wait_until(lambda: lane.connected, "the lane to be connected")
        yield lane
    finally:
        broker.close()
        lane.stop()


def take(inbox: Inbox, count: int) -> list[Delivery]:
    """So many deliveries, once they are there."""
    wait_until(lambda: inbox.waiting() >= count, "the deliveries")
    return inbox.take(1_000, 1_000_000, 0)


def test_it_knows_how_the_broker_uses_packet_ids(broker: PlayedBroker) -> None:
    inbox = Inbox(100, 1_000_000)
    with connected(broker, inbox) as lane:
        began_at = lane.packet_ids.session_began_at
        assert began_at is not None, "the broker said that it has no session"
        broker.publish(5, b"x")
        take(inbox, 1)
        broker.publish(6, b"x")
        take(inbox, 1)
        broker.send(packets.publish(3, "t/1", b"x", again=True))
        take(inbox, 1)
        assert lane.packet_ids == PacketIds(6, session_began_at=began_at), "what is delivered again says nothing"
        broker.publish(6, b"x")
        wait_until(lambda: not lane.packet_ids.in_turn, "an id that is used again at once")
        broker.send(b"\x00\x00")
        broker.accept(b"\x20\x02\x01\x00")
        wait_until(lambda: lane.epoch == 2, "the next life, in the same session")
        assert lane.packet_ids == PacketIds(session_began_at=began_at)


def test_a_batch_is_acknowledged_in_the_order_in_which_it_came(broker: PlayedBroker) -> None:
    inbox = Inbox(100, 1_000_000)
    with connected(broker, inbox) as lane:
        for mid in (5, 3, 9, 1):
            broker.publish(mid, b"x")
        assert lane.acknowledge(take(inbox, 4)) == 4
        assert mids(broker.wait_for(Kind.PUBACK, 4)) == [5, 3, 9, 1]


def test_what_is_no_mqtt_ends_the_connection_and_not_the_lane(
    broker: PlayedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = Inbox(100, 1_000_000)
    with connected(broker, inbox) as lane:
        broker.send(packets.publish(1, "t", b"before") + b"\x36\x06\x00\x01t\x00\x01x")
        broker.accept()
        broker.publish(1, b"after")
        assert [delivery.payload for delivery in take(inbox, 2)] == [b"before", b"after"]
        assert lane.epoch == 2
    assert "the broker sent what is no MQTT" in caplog.text


def test_acknowledgements_of_the_life_before_go_nowhere(broker: PlayedBroker) -> None:
    inbox = Inbox(100, 1_000_000)
    with connected(broker, inbox) as lane:
        broker.publish(1, b"of the first life")
        old = take(inbox, 1)
        broker.accept()
        broker.publish(1, b"of the second")
        new = take(inbox, 1)
        assert lane.acknowledge(old) == 0
        lane.ask()
        broker.wait_for(PINGREQ)
        assert not [packet for packet in broker.others if packet.kind == Kind.PUBACK]
        assert lane.acknowledge(new) == 1
        assert mids(broker.wait_for(Kind.PUBACK)) == [1]


def test_messages_of_ours_that_were_not_confirmed_are_sent_again(broker: PlayedBroker) -> None:
    with connected(broker, Inbox(100, 1_000_000)) as lane:
        lane.publish([("a", b"1"), ("b", b"2"), ("c", b"3")])
        first = broker.wait_for_published(3)
        assert [(one.topic, one.redelivered) for one in first] == [("a", False), ("b", False), ("c", False)]
        broker.send(packets.answer(Answer.PUBACK, [first[1].mid]))
        # What it does not confirm either is sent beside, so that the confirmation above was heard before.
        broker.publish(1, b"x")
        wait_until(lane._inbox.waiting, "the lane to have heard both")
        broker.accept()
        lane.publish([("d", b"4")])
        again = broker.wait_for_published(3)
        assert [(one.topic, one.mid, one.redelivered) for one in again[:2]] == [
            ("a", first[0].mid, True),
            ("c", first[2].mid, True),
        ]
        assert (again[2].topic, again[2].redelivered) == ("d", False)


def test_messages_of_ours_wait_for_the_first_connection(broker: PlayedBroker) -> None:
    lane = LaneConnection(Lane.LIVE, ["t"], parse_broker_url(broker.url), "test", Inbox(100, 1_000_000), SystemClock())
    lane.publish([("a", b"1")])
    lane.start()
    try:
        broker.accept()
        assert [one.payload for one in broker.wait_for_published(1)] == [b"1"]
    finally:
        broker.close()
        lane.stop()


def test_messages_of_ours_are_bounded_and_the_oldest_that_wait_go_first() -> None:
    outbox = Outbox(10)
    outbox.put((f"t{number}", b"") for number in range(25))
    assert (len(outbox), outbox.dropped) == (10, 15)
    sent = packets.parse(outbox.next_packets()).published
    assert [one.topic for one in sent] == [f"t{number}" for number in range(15, 25)]


def test_only_so_many_are_in_flight_and_no_packet_id_is_used_twice() -> None:
    outbox = Outbox(100_000)
    outbox.put(("t", b"") for _ in range(70_000))
    last = packets.parse(outbox.next_packets()).published
    assert len(last) == 1_000
    stuck = last[0].mid
    while last:
        for one in last:
            if one.mid != stuck:
                outbox.confirm(one.mid)
        last = packets.parse(outbox.next_packets()).published
        assert stuck not in [one.mid for one in last]
    assert len(outbox) == 1


def test_a_message_of_qos_2_is_answered_once_it_is_stored(broker: PlayedBroker) -> None:
    inbox = Inbox(100, 1_000_000)
    with connected(broker, inbox) as lane:
        broker.send(b"\x34\x06\x00\x01t\x00\x07x")
        [delivery] = take(inbox, 1)
        assert delivery.qos == 2
        lane.acknowledge([delivery])
        assert mids(broker.wait_for(PUBREC)) == [7]
        broker.send(b"\x62\x02\x00\x07")
        assert mids(broker.wait_for(PUBCOMP)) == [7]


def test_a_full_inbox_is_not_read_into_and_the_connection_lives_on(broker: PlayedBroker) -> None:
    inbox = Inbox(4, 1_000_000)
    with connected(broker, inbox) as lane:
        for mid in range(1, 5):
            broker.publish(mid, b"x")
        wait_until(lambda: lane._life is not None and lane._life.paused, "the lane to pause")
        broker.publish(5, b"y")
        lane.ask()
        first = inbox.take(2, 1_000_000, 0)
        lane.acknowledge(first)
        assert mids(broker.wait_for(Kind.PUBACK, 2)) == [1, 2]
        wait_until(lambda: inbox.waiting() == 3, "the message that waited")
        assert lane.epoch == 1


def test_a_mistake_of_ours_ends_the_connection_and_not_the_lane(
    broker: PlayedBroker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = Inbox(100, 1_000_000)
    with connected(broker, inbox):
        with monkeypatch.context() as broken:
            broken.setattr(Inbox, "put", lambda *_: 1 / 0)
            broker.publish(1, b"x")
            wait_until(lambda: "the connection failed" in caplog.text, "the failure")
        broker.accept()
        broker.publish(1, b"x")
        assert len(take(inbox, 1)) == 1


def test_a_refused_subscription_is_named(broker: PlayedBroker, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), connected(broker, Inbox(100, 1_000_000)) as lane:
        [subscribe] = broker.wait_for(SUBSCRIBE)
        broker.send(b"\x90\x03" + subscribe.body[:2] + b"\x80")
        wait_until(lambda: "does not let us subscribe to t/#" in caplog.text, "the name of the filter")
        assert not lane.subscribed
        broker.send(b"\x90\x03" + subscribe.body[:2] + b"\x01")
        wait_until(lambda: lane.subscribed, "the confirmation")


def test_a_lane_that_stops_takes_its_leave_after_what_it_still_had_to_say(broker: PlayedBroker) -> None:
    inbox = Inbox(100, 1_000_000)
    with connected(broker, inbox) as lane:
        broker.publish(1, b"x")
        lane.acknowledge(take(inbox, 1))
        lane._stop.set()
        broker.wait_for(DISCONNECT)
        assert mids(broker.wait_for(Kind.PUBACK)) == [1]


def test_a_lane_over_tls_with_a_certificate_of_its_own_hears_and_is_heard(tmp_path: Path) -> None:
    write_certificates(tmp_path)
    conf = {"require_certificate": "true", "cafile": tmp_path / "ca.pem"}
    conf |= {"certfile": tmp_path / "server.pem", "keyfile": tmp_path / "server.key"}
    files = TlsFiles(tmp_path / "ca.pem", tmp_path / "client.pem", tmp_path / "client.key")
    inbox = Inbox(1_000, 100_000_000)
    with Broker(tmp_path, conf=conf) as broker:
        address = parse_broker_url(f"mqtts://127.0.0.1:{broker.port}", files)
        lane = LaneConnection(Lane.LIVE, ["t"], address, "tls", inbox, SystemClock())
        lane.start()
        try:
            wait_until(lambda: lane.subscribed, "the subscription")
            # More than a record of TLS, and more than the socket takes at once.
            payloads = [b"%d" % number + bytes(100_000) for number in range(50)]
            lane.publish(("t", payload) for payload in payloads)
            wait_until(lambda: inbox.waiting() == 50, "all to come back")
            deliveries = inbox.take(50, 100_000_000, 0)
            assert [delivery.payload for delivery in deliveries] == payloads
            assert lane.acknowledge(deliveries) == 50
            wait_until(lambda: not len(lane._outbox), "the broker to confirm all")
        finally:
            lane.stop()
