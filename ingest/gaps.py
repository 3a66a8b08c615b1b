"""Asking devices for what is missing between the sequence numbers they sent."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from devices.wire import ResendCommand, build_topic
from ingest.store import Gap, mark_gap_asked, select_gaps
from millpond.kernel.clock import monotonic
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import new_id

_LOG = logging.getLogger(__name__)
_PATIENCE_S = 3.0
_ASK_AGAIN = timedelta(minutes=5)
_SEEN_WITHIN = timedelta(days=1)


class GapWatch:
    """Remembers since when each gap stands still; one that is being filled, as a backfill does, is left in peace."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str, int], float] = {}

    def ask(self, conn: WriteConnection, publish: Callable[[str, bytes], None], at: datetime) -> list[Gap]:
        """Ask for gaps whose beginning has not moved for a few seconds; returns those asked for now."""
        gaps = select_gaps(conn, seen_since=at - _SEEN_WITHIN, asked_before=at - _ASK_AGAIN)
        now = monotonic()
        keys = {(g.serial, g.boot, g.from_seq): g for g in gaps}
        self._since = {key: self._since.get(key, now) for key in keys}
        due = [gap for key, gap in keys.items() if now - self._since[key] >= _PATIENCE_S]
        for gap in due:
            mark_gap_asked(conn, gap, at)
            publish(build_topic(gap.serial, "command"), _resend(gap))
            _LOG.info("asked for a gap", extra={"event": "gap_asked", "serial": gap.serial, "from": gap.from_seq})
        return due


def _resend(gap: Gap) -> bytes:
    command = ResendCommand(id=new_id("cmd"), boot=gap.boot, from_seq=gap.from_seq, to_seq=gap.to_seq)
    return command.model_dump_json(by_alias=True).encode()
