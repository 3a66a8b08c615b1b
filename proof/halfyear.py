"""A past for a stage: half a year of readings of its devices, compressed where the database can compress."""

from datetime import datetime, timedelta

from devices.tiers.rollup import refresh_tiers
from millpond.kernel.db import WriteConnection
from millpond.kernel.timescale import look_for_timescale

_DAYS, _STEP = timedelta(days=182), timedelta(hours=3)
# Newer chunks are still written to, as in the platform's own policy.
_COMPRESSED_AFTER = timedelta(days=30)

# By time, as readings come. That they came before their devices were registered tells them from what the fleet sends.
_FILL = """
insert into reading (device_id, metric_id, measured_at, value, received_at)
select d.device_id, m.metric_id, t, 50, t
from generate_series(%(from_at)s::timestamptz, %(to_at)s::timestamptz, %(step)s::interval) t
cross join device d join metric m using (model)
where starts_with(d.serial, %(prefix)s) and m.kind = 'number'
"""
_LATEST = """
insert into device_latest (device_id, newest_at, received_at, metric_ids, measured_ats, values)
select device_id, max(measured_at), max(received_at), array_agg(metric_id order by metric_id),
       array_agg(measured_at order by metric_id), array_agg(value order by metric_id)
from reading where measured_at > %(to_at)s::timestamptz - %(step)s::interval
group by device_id on conflict (device_id) do nothing
"""
_COMPRESS = "select count(compress_chunk(c, if_not_compressed => true)) from show_chunks('reading', older_than => %s) c"


def fill_half_year(conn: WriteConnection, prefix: str, at: datetime) -> int:
    """Half a year of readings, up to two days before `at`, for devices whose serials begin with `prefix`; how many."""
    times = {"from_at": at - _DAYS, "to_at": at - timedelta(days=2), "step": _STEP, "prefix": prefix}
    filled = conn.execute(_FILL, times).rowcount
    conn.execute(_LATEST, times)
    if look_for_timescale(conn).installed:
        conn.execute(_COMPRESS, [at - _COMPRESSED_AFTER])
    refresh_tiers(conn)
    conn.execute("analyze reading")
    return filled
