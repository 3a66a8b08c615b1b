"""The session at the broker: two lanes and their inbox.

Each lane has a connection and so a window of its own: a burst of backfill cannot fill the window that live data needs.
The broker keeps both sessions while we are away (clean_session is off, the client ids are fixed).
"""

from collections.abc import Iterable, Sequence

from ingest.broker.client_id import client_id
from ingest.broker.inbox import Inbox
from ingest.broker.lane import LaneConnection
from ingest.broker.packet_ids import PacketIds
from ingest.formats.format import Formats
from ingest.formats.shipped import FORMATS
from ingest.nouns import Delivery, Lane
from millpond.kernel.broker import BrokerAddress
from millpond.kernel.clock import Clock
from millpond.kernel.shard import Shard

_MAX_WAITING_BYTES = 67_108_864


class Session:
    """Both lanes and their inbox; what they subscribe to is what `formats` read."""

    def __init__(
        self,
        address: BrokerAddress,
        consumer_id: str,
        clock: Clock,
        max_waiting: int,
        max_waiting_bytes: int = _MAX_WAITING_BYTES,
        formats: Formats = FORMATS,
        shard: Shard = Shard(),
    ) -> None:
        self.formats = formats
        self.inbox = Inbox(max_waiting, max_waiting_bytes)
        self._lanes = {lane: self._make_lane(lane, address, consumer_id, clock, shard) for lane in Lane}

    def _make_lane(
        self, lane: Lane, address: BrokerAddress, consumer_id: str, clock: Clock, shard: Shard
    ) -> LaneConnection:
        session = client_id(consumer_id, lane, address)
        return LaneConnection(lane, self.formats.topic_filters(lane), address, session, self.inbox, clock, shard)

    @property
    def connected(self) -> bool:
        """Whether every lane is connected."""
        return all(lane.connected for lane in self._lanes.values())

    @property
    def subscribed(self) -> bool:
        """Whether every lane is subscribed."""
        return all(lane.subscribed for lane in self._lanes.values())

    @property
    def epoch(self) -> int:
        """How many connections there have been, over all lanes."""
        return sum(lane.epoch for lane in self._lanes.values())

    def packet_ids(self, lane: Lane) -> PacketIds:
        """Which packet ids the broker uses in a lane."""
        return self._lanes[lane].packet_ids

    def start(self) -> None:
        """Connect every lane."""
        for lane in self._lanes.values():
            lane.start()

    def stop(self) -> None:
        """Leave the broker."""
        for lane in self._lanes.values():
            lane.stop()

    def acknowledge(self, deliveries: Sequence[Delivery]) -> int:
        """Acknowledge committed deliveries of one lane, in arrival order."""
        return self._lanes[deliveries[0].lane].acknowledge(deliveries) if deliveries else 0

    def publish(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Send messages of ours to devices: topics and payloads."""
        self._lanes[Lane.LIVE].publish(messages)

    def ask(self) -> None:
        """Ask for a sign of life on every lane; `connected` is the answer, a few seconds later."""
        for lane in self._lanes.values():
            lane.ask()
