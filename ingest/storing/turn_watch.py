"""Noticing, batch by batch, who takes turns under one serial; a batch without a change costs one look."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter

from ingest.storing.decoding import Batch
from ingest.storing.turn_store import (
    insert_first_names,
    lock_live_names,
    select_changed_names,
    select_highest_seqs,
    upsert_live_names,
)
from ingest.storing.turns import Heard, LiveName, NameKey, follow, heard_in, heard_in_plain
from millpond.kernel.db import WriteConnection

_LOG = logging.getLogger(__name__)
_SAY_AGAIN = timedelta(days=1)


def watch_turns(conn: WriteConnection, batch: Batch, at: datetime) -> None:
    """Follow who is live; before the numbers of the batch are added, since only new ones count."""
    placed = [(batch.place(decoded.delivery), one) for decoded in batch.careful if (one := heard_in(decoded))]
    changed = set(select_changed_names(conn, [one for _, one in placed])) if placed else set()
    changed |= {(serial, "boot") for serial in batch.changed}
    placed += heard_in_plain(batch.plain, {serial for serial, kind in changed if kind == "boot"})
    heard = [one for _, one in sorted(placed, key=itemgetter(0)) if one.key in changed]
    changed = _without_first_heard(conn, heard)
    if not changed:
        return
    heard = [one for one in heard if one.key in changed]
    known = lock_live_names(conn, sorted(changed))
    boots = {(one.serial, one.name) for one in heard if one.seq is not None}
    highest = select_highest_seqs(conn, boots) if boots else {}
    live = follow(known, heard, highest, at)
    if news := {key: one for key, one in live.items() if one != known.get(key)}:
        upsert_live_names(conn, news)
        _tell(news, known)


def _without_first_heard(conn: WriteConnection, heard: Sequence[Heard]) -> set[NameKey]:
    """Those of the keys that have more to look at than their first name, which is remembered here."""
    first: dict[NameKey, Heard] = {}
    several = {one.key for one in heard if first.setdefault(one.key, one).name != one.name}
    if not first:
        return set()
    return first.keys() - (set(insert_first_names(conn, list(first.values()))) - several)


def _tell(news: Mapping[NameKey, LiveName], known: Mapping[NameKey, LiveName]) -> None:
    for (serial, kind), live in news.items():
        before = known[serial, kind].shared if (serial, kind) in known else None
        if live.shared and (before is None or live.shared.last_at - before.last_at > _SAY_AGAIN):
            extra = {"event": "shared_serial", "serial": serial, "kind": kind, "names": live.shared.names}
            _LOG.warning("two units publish under one serial: its %ss take turns", kind, extra=extra)
