"""What a reading takes of the disk, and how quickly a year is drawn; see `python -m benchmarks.storage --help`."""

from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Annotated

import typer

from benchmarks.common import Dsn, Json, NoBroker, Result, fresh_database, run, step, tell, timed
from benchmarks.fleet import find_metric_ids, register_fleet
from devices.readings import select_bucketed_series
from devices.retention import make_partitions
from devices.tiers.packing import pack_months
from devices.tiers.rollup import refresh_tiers
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.ids import DeviceId, MetricId
from millpond.kernel.timescale import look_for_timescale

_END = datetime(2026, 1, 1, tzinfo=UTC)
_YEAR, _DAY = timedelta(days=365), timedelta(days=1)
_CHARTS = 20

# What filters say: two that go slowly, in steps; dust, which is noise; and two that stay as they are for hours.
_FILL = """
insert into reading (device_id, metric_id, measured_at, value, received_at)
select d, m.id, at,
       case m.place when 1 then floor(s.hours) when 2 then floor(100 - s.hours / 35)
                    when 3 then round((8 + 6 * random())::numeric, 1)
                    when 4 then floor(d + s.hours / 7)::bigint %% 5 else floor(s.hours / 5)::bigint %% 2 end,
       at + interval '0.2 s'
from generate_series(%(from_at)s::timestamptz, %(to_at)s::timestamptz - %(step)s::interval, %(step)s::interval) t
cross join unnest(%(devices)s::bigint[]) d
cross join unnest(%(metrics)s::int[]) with ordinality as m (id, place)
cross join lateral (select t + d %% 240 * interval '1 s' as at) a
cross join lateral (select extract(epoch from at - %(start)s)::float8 / 3600 * 0.4 as hours) s
order by at, d, m.id
"""
_LATEST = """
insert into device_latest (device_id, newest_at, received_at, metric_ids, measured_ats, values)
select d, %(at)s, %(at)s, array_agg(m order by m), array_agg(%(at)s::timestamptz), array_agg(0)
from unnest(%(devices)s::bigint[]) d, unnest(%(metrics)s::int[]) m group by d
"""
_BYTES = """
select coalesce(sum(pg_total_relation_size(t.table_id)), 0)::float8
from (select relid as table_id from pg_partition_tree('reading') where isleaf) t
"""
_CHUNK_BYTES = "select hypertable_size('reading')::float8"
_COMPRESS = "select count(compress_chunk(c)) from show_chunks('reading') c"


def main(
    devices: Annotated[int, typer.Option(min=1, help="Devices, each with five metrics.")] = 10,
    every_minutes: Annotated[float, typer.Option(min=0.1, help="Minutes between two samples of a device.")] = 30,
    days: Annotated[int, typer.Option(min=31, help="Days up to the newest sample.")] = 365,
    dsn: Dsn = None,
    broker: NoBroker = None,
    json: Json = False,
) -> None:
    """Bytes a reading takes with all its indexes, and the time a year of one device's chart takes.

    **Measured:** a table of readings that came by time, a sample of all devices after the other, as ingest stores them:
    its size for each reading once what is over is compressed (TimescaleDB) or packed (plain PostgreSQL). Told besides:
    what hours and days take for each reading, and the median time of a year's chart by day and by six hours.

    **Reference:** the same table before that.
    """
    with fresh_database(dsn) as own, connect(own) as conn:
        with step("filling"):
            ids, metrics, readings = _fill(conn, devices, timedelta(minutes=every_minutes), days)
        figures, before = _measure(conn, ids, metrics, readings)
    sizes = {"readings": readings, "devices": devices, "every_minutes": every_minutes, "days": days}
    reference = "the same before it is compressed or packed"
    tell(Result("storage", "bytes_per_reading", "bytes", figures, before, reference, sizes), as_json=json)


def _fill(
    conn: WriteConnection, devices: int, every: timedelta, days: int
) -> tuple[list[DeviceId], list[MetricId], int]:
    start = _END - days * _DAY
    ids, metrics = [device.device_id for device in register_fleet(conn, devices, start)], find_metric_ids(conn)
    readings = 0
    for day in range(days):
        at = start + day * _DAY
        make_partitions(conn, at)
        values = {"from_at": at, "to_at": at + _DAY, "start": start, "step": every, "devices": ids, "metrics": metrics}
        readings += conn.execute(_FILL, values).rowcount
    conn.execute(_LATEST, {"at": _END - every, "devices": ids, "metrics": metrics})
    conn.execute("vacuum analyze reading")
    return ids, metrics, readings


def _measure(
    conn: WriteConnection, ids: list[DeviceId], metrics: list[MetricId], readings: int
) -> tuple[dict[str, float], float]:
    timescale = look_for_timescale(conn).installed
    [(before,)] = conn.execute(_CHUNK_BYTES if timescale else _BYTES)
    with step("rolling up"):
        refresh_tiers(conn)
    with step("compressing"):
        if timescale:
            conn.execute(_COMPRESS)
        else:
            pack_months(conn, _END + 60 * _DAY)
    [(after,)] = conn.execute(_CHUNK_BYTES if timescale else _BYTES)
    figures = {
        "bytes_per_reading": after / readings,
        "year_by_day_ms": _chart_ms(conn, ids, metrics, _DAY),
        "year_by_six_hours_ms": _chart_ms(conn, ids, metrics, _DAY / 4),
    }
    return figures, before / readings


def _chart_ms(conn: WriteConnection, ids: list[DeviceId], metrics: list[MetricId], bucket: timedelta) -> float:
    """Milliseconds of a year's chart, the median over some devices and metrics."""
    return 1000 * median(_draw(conn, ids[n * 7 % len(ids)], metrics[n % len(metrics)], bucket) for n in range(_CHARTS))


def _draw(conn: WriteConnection, device: DeviceId, metric: MetricId, bucket: timedelta) -> float:
    _, seconds = timed(lambda: select_bucketed_series(conn, device, metric, _END - _YEAR, _END, bucket, 5001))
    return seconds


if __name__ == "__main__":
    run(main)
