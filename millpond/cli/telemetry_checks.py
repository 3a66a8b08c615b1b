"""The doctor's look at what comes in: does ingest live, does the fleet speak, and is it understood?"""

from datetime import datetime, timedelta

from ingest.health import check_health
from ingest.lobby.store import count_lobby
from ingest.workbench.alarm import check_rate
from millpond.cli.findings import Finding, Findings, bad, good, warning
from millpond.kernel.db import ReadConnection, load_queries

_Q = load_queries("millpond.cli")
_LATELY = timedelta(days=1)
# Of a thousand values one may be refused before it is worth a look.
_REFUSED_SHARE = 0.001


def check_ingest(conn: ReadConnection, grace_s: float) -> Finding:
    """Does ingest live, is it connected, and does it keep up?"""
    health = check_health(conn, grace_s)
    if health.change is None:
        return good("ingest", f"{health.sentence}.")
    return (bad if health.ever_ran else warning)("ingest", health.sentence, health.change)


def check_telemetry(conn: ReadConnection, at: datetime, alarm_at: int = 0, devices_max: int = 10_000) -> Findings:
    """Does the fleet speak, and how much of it is refused?"""
    yield _check_fleet(conn, at)
    yield from _check_lobby(conn, devices_max)
    yield _check_quarantine(conn, at, alarm_at)


def _check_fleet(conn: ReadConnection, at: datetime) -> Finding:
    row = conn.execute(_Q["select_heard_of"], {"since": at - _LATELY}).fetchone()
    assert row is not None
    devices, heard, newest = row
    if not devices:
        return good("fleet", "no device is registered yet.")
    told = f"{heard:,} of {devices:,} devices were heard of in the last day"
    if heard:
        return good("fleet", f"{told}.")
    since = f"since {newest.isoformat(timespec='seconds')}" if newest else "ever"
    change = "see whether devices reach the broker, as whom, and whether their serials are those in the topics"
    return warning("fleet", f"none of {devices:,} devices was heard of {since}", change)


def _check_lobby(conn: ReadConnection, devices_max: int) -> Findings:
    lobby = count_lobby(conn)
    told = f"{lobby.waiting:,} devices speak that nobody registered, {lobby.messages:,} of their messages wait"
    if 2 * lobby.waiting >= devices_max:
        change = (
            "more than half of the places are taken: admit, refuse or forget them, or raise MILLPOND_LOBBY_DEVICES_MAX"
        )
        yield warning("fleet", told, change)
    elif lobby.waiting:
        yield good("fleet", f"{told}: see `millpond lobby list`.")


def _check_quarantine(conn: ReadConnection, at: datetime, alarm_at: int) -> Finding:
    row = conn.execute(_Q["select_refused_share"], {"since": at - _LATELY}).fetchone()
    assert row is not None
    refused, received, code, serials = row
    told = f"{refused:,} of {received:,} items of the last day were refused"
    rate = check_rate(conn, alarm_at, at)
    if rate.is_alarming:
        change = "look at `millpond quarantine groups` or /ops/quarantine now: something began to be refused"
        return warning("quarantine", rate.sentence, change)
    if refused <= received * _REFUSED_SHARE:
        return good("quarantine", f"{told}.")
    most = f", most of them as {code}, of {serials:,} serials" if code else ""
    change = "look at /ops/quarantine for the reasons: register unknown serials, correct profiles or firmware"
    return warning("quarantine", f"{told}{most}", change)
