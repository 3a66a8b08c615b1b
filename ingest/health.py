"""Is ingest well? One rule for the readiness page and for the doctor."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.rows import class_row

from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.shard import all_names

_Q = load_queries("ingest")
_LAG_MAX_S = 60.0
_START = "start `millpond ingest`"


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of the liveliest ingest, in one sentence; `change` is what to do, None when all is well."""

    sentence: str
    change: str | None = None
    ever_ran: bool = True


@dataclass(frozen=True, slots=True)
class _Beat:
    """An ingest's last sign of life, so many seconds ago, and how long the oldest message that it holds has waited."""

    consumer: str
    connected: bool
    silent_s: float
    lag_s: float
    trouble: str | None


def check_health(conn: ReadConnection, grace_s: float) -> Health:
    """How the ingest is that gave the newest sign of life, or of several that share the serials the one that is worst.

    One that was silent for more than `grace_s` is not well.
    """
    with conn.cursor(row_factory=class_row(_Beat)) as cursor:
        newest = cursor.execute(_Q["select_newest_beat"]).fetchone()
    if newest is None:
        return Health("no ingest has ever run against this database", _START, ever_ran=False)
    names = all_names(newest.consumer)
    return _judge(newest, grace_s) if len(names) == 1 else _judge_all(conn, names, grace_s)


def _judge_all(conn: ReadConnection, names: Sequence[str], grace_s: float) -> Health:
    with conn.cursor(row_factory=class_row(_Beat)) as cursor:
        beats = {beat.consumer: beat for beat in cursor.execute(_Q["select_beats"], {"consumers": names})}
    if missing := [name for name in names if name not in beats]:
        return Health(f"{missing[0]} has never run, and nobody stores its share of the serials", _START)
    ill = [health for name in names if (health := _judge(beats[name], grace_s)).change]
    most_s = max(beat.lag_s for beat in beats.values())
    return ill[0] if ill else Health(f"all {len(names)} ingests are connected, messages wait {most_s:.1f} s at most")


def _judge(newest: _Beat, grace_s: float) -> Health:
    consumer, silent_s, lag_s = newest.consumer, newest.silent_s, newest.lag_s
    if silent_s > grace_s:
        return Health(f"{consumer} gave no sign of life for {silent_s:,.0f} s", _START)
    if not newest.connected:
        return Health(f"{consumer} runs, but is not connected to its broker", "see the broker's line and log")
    if newest.trouble is not None:
        change = "see the errors in ingest's and the database's log; devices keep what is not acknowledged"
        return Health(f"{consumer}: {newest.trouble}", change)
    if lag_s > _LAG_MAX_S:
        change = "see whether the database is busy or slow; devices keep what is not acknowledged"
        return Health(f"{consumer} is behind: messages wait {lag_s:.0f} s to be stored", change)
    seen = f"last sign of life {max(silent_s, 0):.1f} s ago"
    return Health(f"{consumer} is connected, {seen}, messages wait {lag_s:.1f} s")


def beat(
    conn: WriteConnection,
    consumer: str,
    *,
    epoch: int,
    connected: bool,
    in_flight: int,
    lag_s: float,
    trouble: str | None = None,
) -> None:
    """Say that this ingest is alive, how long the oldest message it holds has waited, and what is in its way."""
    values = {
        "consumer": consumer,
        "epoch": epoch,
        "connected": connected,
        "in_flight": in_flight,
        "lag_s": lag_s,
        "trouble": trouble,
    }
    conn.execute(_Q["beat"], values)
