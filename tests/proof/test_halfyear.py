"""The past that the proof gives a database."""

from datetime import UTC, datetime

from devices.registry import register_device
from millpond.kernel.db import connect
from millpond.kernel.timescale import look_for_timescale
from proof.halfyear import fill_half_year
from proof.oracle import read_rows

AT = datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_half_a_year_is_there_compressed_and_no_matter_of_the_oracles(database: str) -> None:
    with connect(database) as conn:
        for serial in ("P-1", "Q-1"):
            register_device(conn, serial=serial, model="generic-purifier-hours", installed_at=AT, at=AT)
        filled = fill_half_year(conn, "P-", AT)
        assert conn.execute("select count(*), count(distinct device_id) from reading").fetchone() == (filled, 1)
        metrics = conn.execute("select distinct metric_id from reading").fetchall()
        assert filled == len(metrics) * (180 * 8 + 1)
        assert conn.execute("select count(*) from reading_day").fetchone() == (len(metrics) * 181,)
        assert read_rows(conn, "P-") == []
        if look_for_timescale(conn).installed:
            compressed = "select count(*) from timescaledb_information.chunks where is_compressed"
            [(chunks,)] = conn.execute(compressed).fetchall()
            assert chunks >= 21
