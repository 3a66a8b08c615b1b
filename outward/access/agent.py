"""The keeper of the broker's users, beside the scheduler: it hears of each change, and looks at all now and then."""

import logging
import threading
from collections.abc import Collection

import psycopg

from devices.credentials.issuing import end_expired_credentials
from millpond.kernel.clock import Clock, monotonic
from millpond.kernel.db import WriteConnection, connect, load_queries
from millpond.kernel.errors import MillpondError
from millpond.kernel.settings import Settings
from outward.access.control import Control, control_of
from outward.access.keeping import ours_of, sync_access

_LOG = logging.getLogger(__name__)
_Q = load_queries("outward")
_PAUSE_S, _LISTENING_S, _EXPIRY_S, _WHOLE_S = 5.0, 1.0, 10.0, 3600.0


def keep_access(settings: Settings, clock: Clock, stop: threading.Event) -> None:
    """Keep the broker's users to the database until `stop` is set. Of several keepers one works at a time.

    A broker or a database that is away is tried again every few seconds; then everything is looked at.
    """
    while not stop.is_set():
        try:
            with connect(settings.database_url.get_secret_value(), application="millpond-access") as conn:
                if _alone(conn):
                    _keep(conn, settings, clock, stop)
        except (MillpondError, psycopg.Error) as error:
            _LOG.warning("the broker's users are not kept: %s", error, extra={"event": "access_not_kept"})
        stop.wait(_PAUSE_S)


def _alone(conn: WriteConnection) -> bool:
    """Whether no other keeper works; this one does until its connection ends."""
    [(alone,)] = conn.execute(_Q["lock_access"])
    return bool(alone)


def _keep(conn: WriteConnection, settings: Settings, clock: Clock, stop: threading.Event) -> None:
    # Listening begins before the look at all, so that nothing happens between the two.
    conn.execute("listen access_changed")
    with control_of(ours_of(settings).admin) as control:
        look_at_all, look_at_time = 0.0, 0.0
        while not stop.is_set():
            control.require_connection()
            if monotonic() >= look_at_all:
                _sync(conn, control, settings, clock, None)
                look_at_all = monotonic() + _WHOLE_S
            if monotonic() >= look_at_time:
                # What ends here is heard of below, as any other change.
                end_expired_credentials(conn, clock.now())
                look_at_time = monotonic() + _EXPIRY_S
            if changed := _hear(conn):
                whole = "" in changed
                _sync(conn, control, settings, clock, None if whole else {int(device_id) for device_id in changed})


def _hear(conn: WriteConnection) -> set[str]:
    """Whose access changed, once somebody's did; an empty text is everybody. Empty when nothing came for a while."""
    heard = {notice.payload for notice in conn.notifies(timeout=_LISTENING_S, stop_after=1)}
    return heard | {notice.payload for notice in conn.notifies(timeout=0)} if heard else heard


def _sync(
    conn: WriteConnection, control: Control, settings: Settings, clock: Clock, device_ids: Collection[int] | None
) -> None:
    changes = sync_access(conn, control, settings, clock.now(), device_ids)
    if changes.count:
        added, removed = len(changes.add_users), len(changes.remove_users)
        extra = {"event": "access_kept", "added": added, "removed": removed}
        _LOG.info("users of the broker: %s added, %s removed", added, removed, extra=extra)
