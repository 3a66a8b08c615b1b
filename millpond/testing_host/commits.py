"""An ingest session that says when something was committed, so that nobody has to poll for it."""

import threading
from collections.abc import Sequence

from ingest.broker.client_id import client_id
from ingest.broker.session import Session
from ingest.nouns import Delivery, Lane
from millpond.kernel.broker import BrokerAddress
from millpond.kernel.clock import Clock
from simulators.wire.publisher import Publisher

_IN_FLIGHT_MAX_MESSAGES = 20_000


class NotedSession(Session):
    """Counts commits; `wait` returns when there was one after the given count."""

    def __init__(self, address: BrokerAddress, consumer_id: str, clock: Clock, wake: threading.Event) -> None:
        super().__init__(address, consumer_id, clock, _IN_FLIGHT_MAX_MESSAGES)
        self._wake = wake
        self.commits = 0

    def acknowledge(self, deliveries: Sequence[Delivery]) -> int:
        """As ingest does it after each commit."""
        ours = super().acknowledge(deliveries)
        self.commits += 1
        self._wake.set()
        return ours


def forget_session(address: BrokerAddress, consumer_id: str) -> None:
    """Let the broker forget what it would keep for this ingest for ever: a broker that was given outlives the test."""
    for lane in Lane:
        publisher = Publisher(address, client_id(consumer_id, lane, address), subscriptions=["millpond/v1/nobody/ack"])
        publisher.connect()
        publisher.close()
