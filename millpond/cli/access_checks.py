"""What the doctor looks at where devices have credentials: does the broker ask for them, and know the right ones?"""

from collections.abc import Iterator
from datetime import datetime

import psycopg

from millpond.cli.findings import Finding, bad, good, warning
from millpond.kernel.broker import BrokerAddress
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import MillpondError, Unavailable
from millpond.kernel.migrate import pending_migrations
from millpond.kernel.settings import Settings

_SYNC = "run `millpond broker sync`, or start `millpond schedule`, which keeps them"


def check_access(settings: Settings) -> Iterator[Finding]:
    """Does the broker let in who has a credential, and nobody else?"""
    try:
        conn = connect(settings.database_url.get_secret_value(), application="millpond-doctor")
    except psycopg.OperationalError:
        return  # The check of the database has said so.
    with conn:
        if pending_migrations(conn):
            return
        at = settings.make_clock().now()
        if settings.broker_admin_url.get_secret_value():
            yield _check_users(conn, settings, at)
            yield _check_strangers(settings.broker_admin_address())
        elif issued := _count_issued(conn, at):
            change = "set MILLPOND_BROKER_ADMIN_URL to the user who keeps mosquitto's dynamic security plugin"
            yield warning("access", f"{issued:,} devices have credentials, and nobody tells the broker", change)
        else:
            yield good("access", "no device has a credential, and the broker's users are not ours to keep.")


def _check_users(conn: WriteConnection, settings: Settings, at: datetime) -> Finding:
    from outward.access.control import control_of
    from outward.access.keeping import ours_of
    from outward.access.reconcile import find_changes
    from outward.access.wanted import all_wanted

    try:
        ours = ours_of(settings)
        wanted = all_wanted(conn, settings.device_keys(), ours, at)
        with control_of(ours.admin) as control:
            changes = find_changes(control, wanted)
    except MillpondError as error:
        return bad("access", str(error), "correct the variable, or load the plugin as docs/security.md says")
    if changes.count:
        return bad("access", f"{changes.count:,} of the broker's users and roles are not as they should be", _SYNC)
    return good("access", f"the broker knows {len(wanted.users):,} users, as the database says.")


def _check_strangers(admin: BrokerAddress) -> Finding:
    """Whoever has no name must not come in."""
    from outward.connection import BrokerLink

    nobody = BrokerAddress(admin.host, admin.port, admin.tls, None, None, admin.files)
    try:
        with BrokerLink(nobody, "millpond-doctor"):
            pass
    except Unavailable:
        return good("access", "the broker lets in nobody without a name.")
    return bad("access", "the broker lets in whoever has no name", "in mosquitto, set `allow_anonymous false`")


def _count_issued(conn: WriteConnection, at: datetime) -> int:
    from devices.credentials.issuing import select_access

    return len({access.device_id for access in select_access(conn, at)})
