"""Who waits for a commit of ingest is told of it, so that nobody has to poll."""

import threading

from ingest.broker.client_id import client_id
from ingest.nouns import Lane
from millpond.kernel.broker import BrokerAddress
from simulators.wire.publisher import Publisher


class Commits:
    """How many commits ingest has made; each sets `wake`."""

    def __init__(self, wake: threading.Event) -> None:
        self._wake = wake
        self.count = 0

    def note(self) -> None:
        """Ingest calls this after each commit."""
        self.count += 1
        self._wake.set()


def forget_session(address: BrokerAddress, consumer_id: str) -> None:
    """Let the broker forget what it would keep for this ingest for ever: a broker that was given outlives the test."""
    for lane in Lane:
        publisher = Publisher(address, client_id(consumer_id, lane, address), subscriptions=["millpond/v1/nobody/ack"])
        publisher.connect()
        publisher.close()
