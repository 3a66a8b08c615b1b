"""Which packet ids a broker uses on a session: in turn or not, and which come next. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime

_MOST = 65_535
_AHEAD = 32_767
_FAR = 8_192

Range = tuple[int, int]
_NO_IDS: Range = (1, 0)


@dataclass(frozen=True, slots=True)
class PacketIds:
    """The newest id that was used for the first time in this life of the connection, 0 before there is one.

    `in_turn` is false once a message came under an id that is not ahead of the one before: then the broker uses ids
    again at once. `session_began_at` is when the broker had last forgotten the session, and all ids with it.
    """

    newest: int = 0
    in_turn: bool = True
    session_began_at: datetime | None = None

    def used(self, packet_id: int) -> "PacketIds":
        """After a message that came for the first time."""
        step = (packet_id - self.newest) % _MOST
        return replace(self, newest=packet_id, in_turn=self.in_turn and (not self.newest or 0 < step <= _AHEAD))

    def connected(self, session_began_at: datetime | None) -> "PacketIds":
        """In a new life of the connection, to a session that begins anew now, or that goes on when None."""
        return PacketIds(session_began_at=session_began_at or self.session_began_at)

    def are_far_from(self, seen: "PacketIds") -> bool:
        """Whether they have moved on since they were last looked at so far that it is time to forget some."""
        if (self.in_turn, self.session_began_at) != (seen.in_turn, seen.session_began_at):
            return True
        return self.newest > 0 and (not seen.newest or (self.newest - seen.newest) % _MOST >= _FAR)

    def next_ones(self) -> tuple[Range, Range]:
        """The half of all ids that come next, as two ranges with both ends in them; all where they are not in turn."""
        if not self.in_turn:
            return (1, _MOST), _NO_IDS
        if not self.newest:
            return _NO_IDS, _NO_IDS
        first, last = self.newest + 1, self.newest + _AHEAD
        return (first, min(last, _MOST)), (1, last - _MOST)
