"""The end of what is kept of packet ids that may soon name other messages."""

from ingest.broker.packet_ids import PacketIds
from ingest.broker.session import Session
from ingest.nouns import Lane
from millpond.kernel.db import WriteConnection, load_queries

_Q = load_queries("ingest")


class Forgetting:
    """Looks at the packet ids of a consumer's session, and forgets in time."""

    def __init__(self, consumer: str) -> None:
        self._consumer = consumer
        self._seen: dict[Lane, PacketIds] = {}

    def look(self, conn: WriteConnection, session: Session) -> None:
        """To be called often: does nothing until the ids of a lane have moved on. Raises psycopg.Error."""
        for lane in Lane:
            ids, seen = session.packet_ids(lane), self._seen.get(lane, PacketIds())
            if ids.are_far_from(seen):
                conn.execute(_Q["forget_untimed_messages"], self._bounds(lane, ids))
                self._seen[lane] = ids

    def _bounds(self, lane: Lane, ids: PacketIds) -> dict[str, object]:
        (low, high), (low_2, high_2) = ids.next_ones()
        return {
            "consumer": self._consumer,
            "lane": lane.name.lower(),
            "all_before": ids.session_began_at,
            "low": low,
            "high": high,
            "low_2": low_2,
            "high_2": high_2,
        }
