"""Asking devices for what is missing between the sequence numbers they sent, and the end of asking.

A gap is given up when its device says `gone`, or when it was asked for several times and each time answered with what
cannot be read and is kept. It is never given up for silence: the device may hold those samples still, and an
acknowledgement past them would make it delete them.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from ingest.formats.millpond_v1.replies import build_ack, build_resend
from ingest.nouns import Gap
from ingest.sequences.store import GapCount, GivenUp, ask_gaps, count_gaps, give_up_gaps, watch_gaps
from millpond.kernel.clock import monotonic
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import new_id
from millpond.kernel.settings import Settings

_LOG = logging.getLogger(__name__)
_OF_A_DEVICE = 10
_AT_ONCE = 200
_COUNT_EVERY_S = 10.0

Publish = Callable[[Sequence[tuple[str, bytes]]], None]


class GapWatch:
    """Asks for gaps that stand still; one that is being filled, as by a backfill, is not asked for."""

    def __init__(self, settings: Settings) -> None:
        self._consumer, self._times = settings.consumer, settings.gap_answers_max
        self._longest = timedelta(hours=settings.gap_ask_max_h)
        self._next_count = 0.0
        self._not_told = 0
        self.given_up = 0
        self.counted = GapCount(0, 0, 0)

    def check(self, conn: WriteConnection, publish: Publish) -> list[Gap]:
        """Give up what is hopeless, ask for what is due, and now and then count; returns what was asked for now."""
        with conn.transaction():
            given_up = give_up_gaps(conn, self._times)
            if given_up:
                watch_gaps(conn, [(one.serial, one.boot) for one in given_up])
            asked = ask_gaps(conn, of_device=_OF_A_DEVICE, limit=_AT_ONCE, longest=self._longest)
        for one in given_up:
            self._tell(one, publish)
        publish([build_resend(gap, new_id("cmd")) for gap in asked])
        if asked:
            _LOG.info("asked for %d gaps", len(asked), extra={"event": "gaps_asked", "gaps": len(asked)})
        self._count(conn)
        return asked

    def _tell(self, one: GivenUp, publish: Publish) -> None:
        self.given_up += one.numbers
        self._not_told += one.numbers
        extra = {"event": "gap_given_up", "serial": one.serial, "boot": one.boot, "numbers": one.numbers}
        _LOG.warning("numbers are given up: asked for them, only what cannot be read came", extra=extra)
        if one.complete is not None:
            publish([build_ack(one.complete)])

    def _count(self, conn: WriteConnection) -> None:
        if monotonic() < self._next_count:
            return
        counted = count_gaps(conn, self._consumer, self._not_told)
        if counted is not None:
            self._next_count = monotonic() + _COUNT_EVERY_S
            self.counted, self._not_told = counted, 0
