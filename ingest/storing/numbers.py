"""The sequence numbers of a batch: what each boot has now, what it lacks, and up to where its device may forget."""

import logging
from datetime import datetime

from ingest.nouns import Complete, Limits
from ingest.plain import BootKey
from ingest.sequences.plain import find_runs
from ingest.sequences.ranges import BootSeqs, group_by_boot
from ingest.sequences.store import extend_sequences, note_unreadable, upsert_sequences, watch_gaps
from ingest.storing.decoding import Batch
from millpond.kernel.db import WriteConnection

_LOG = logging.getLogger(__name__)


def store_numbers(conn: WriteConnection, batch: Batch, limits: Limits, at: datetime) -> list[Complete]:
    """Add the numbers of a batch; returns up to where each of its boots is complete, of those that are.

    Most boots go on where they were, and that costs one row each; the others are looked at with all that they have.
    """
    boots = group_by_boot(batch.careful)
    runs, scattered = find_runs(batch.plain, boots.keys())
    complete, gaps_at_beginning = extend_sequences(conn, runs, at) if runs.boots else ([], [])
    if gaps_at_beginning:
        watch_gaps(conn, gaps_at_beginning)
    extended = {(one.serial, one.boot) for one in complete} | set(gaps_at_beginning)
    for seqs in (scattered, runs.numbers(without=extended)):
        for boot, numbers in seqs.items():
            boots[boot] = boots[boot] | numbers if boot in boots else numbers
    if boots:
        complete += _add(conn, boots, limits, at)
    if unreadable := {(decoded.serial, decoded.boot) for decoded in batch.careful if decoded.numbers_lost}:
        note_unreadable(conn, unreadable)
    return complete


def _add(conn: WriteConnection, boots: dict[BootKey, BootSeqs], limits: Limits, at: datetime) -> list[Complete]:
    added = upsert_sequences(conn, dict(sorted(boots.items())), at, limits.boot_ranges_max)
    watch_gaps(conn, boots)
    for serial, boot in added.overflowing:
        extra = {"event": "too_many_gaps", "serial": serial, "boot": boot}
        _LOG.warning("a boot has more gaps than are kept: its last numbers are not acknowledged", extra=extra)
    return added.complete
