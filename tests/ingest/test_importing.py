"""A file of readings: checked like telemetry, stored once, and every row has exactly one outcome."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from devices.nouns import LatestValue
from devices.registry import register_device
from devices.store import select_latest
from ingest.files.importing import ImportSummary, import_readings
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import ConfigurationError, InvalidInput

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
HEADER = "serial,metric,ts,value\n"
T1, T2, T3 = (f"2026-02-1{day}T09:00:00+09:00" for day in (1, 2, 3))


@pytest.fixture(autouse=True)
def _devices(conn: WriteConnection) -> None:
    register_device(conn, serial="A-1", model="generic-purifier-pct", installed_at=NOW - timedelta(days=9), at=NOW)
    register_device(conn, serial="V-1", model="reed-vac-s", installed_at=NOW - timedelta(days=9), at=NOW)


def load(conn: WriteConnection, path: Path, text: str | bytes | None = None, chunk_rows: int = 1000) -> ImportSummary:
    if text is not None:
        path.write_bytes(HEADER.encode() + (text if isinstance(text, bytes) else text.encode()))
    return import_readings(conn, path, at=NOW, clock_future=timedelta(minutes=5), chunk_rows=chunk_rows)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.csv"


def outcomes(summary: ImportSummary) -> tuple[int, int, int, int]:
    return (summary.tally.stored, summary.tally.duplicate, summary.tally.conflict, summary.tally.quarantined)


def stored(conn: WriteConnection) -> list[tuple[object, ...]]:
    query = "select m.name, measured_at, value, state, corrected from reading join metric m using (metric_id)"
    return conn.execute(f"{query} order by device_id, name, measured_at").fetchall()


def quarantined(conn: WriteConnection) -> list[tuple[object, ...]]:
    query = "select item, code, serial, topic, payload from quarantine join quarantined_message using (digest)"
    return conn.execute(f"{query} order by item::int").fetchall()


def test_rows_become_readings_at_their_own_time(conn: WriteConnection, path: Path) -> None:
    rows = f"A-1,filter_life_pct,{T1},64.5\nA-1,power,1770854400000,true\nV-1,state,{T2},docked\n"
    assert outcomes(load(conn, path, rows)) == (3, 0, 0, 0)
    day = datetime(2026, 2, 11, tzinfo=UTC)
    assert stored(conn) == [
        ("filter_life_pct", day, 64.5, None, False),
        ("power", day + timedelta(days=1), 1, None, False),
        ("state", day + timedelta(days=1), None, "docked", False),
    ]


def test_history_older_than_any_window_keeps_its_time(conn: WriteConnection, path: Path) -> None:
    assert outcomes(load(conn, path, "A-1,filter_life_pct,2019-01-01T00:00:00Z,64\n")) == (1, 0, 0, 0)
    assert stored(conn)[0][1] == datetime(2019, 1, 1, tzinfo=UTC)


def test_a_second_run_finds_duplicates_only(conn: WriteConnection, path: Path) -> None:
    load(conn, path, f"A-1,filter_life_pct,{T1},64\nA-1,filter_life_pct,{T1},99\nA-1,nonsense,{T1},1\n")
    before = (stored(conn), quarantined(conn))
    assert outcomes(load(conn, path)) == (0, 3, 0, 0)
    assert (stored(conn), quarantined(conn)) == before


def test_of_two_values_for_one_key_the_first_stays_and_the_second_is_kept_aside(
    conn: WriteConnection, path: Path
) -> None:
    rows = f"A-1,filter_life_pct,{T1},64\nA-1,filter_life_pct,{T1},63\nA-1,filter_life_pct,{T1},64\n"
    assert outcomes(load(conn, path, rows)) == (1, 1, 1, 0)
    assert outcomes(load(conn, path, f"A-1,filter_life_pct,{T1},62\n")) == (0, 0, 1, 0)
    assert [row[2] for row in stored(conn)] == [64]
    kept = conn.execute("select value from reading_conflict order by value").fetchall()
    assert kept == [(62,), (63,)]


def test_the_latest_value_is_the_newest_measured(conn: WriteConnection, path: Path) -> None:
    load(conn, path, f"A-1,filter_life_pct,{T3},60\nA-1,filter_life_pct,{T2},61\n")
    load(conn, path, f"A-1,filter_life_pct,{T1},64\n")
    row = conn.execute("select device_id from device where serial = 'A-1'").fetchone()
    assert row is not None
    latest = LatestValue("filter_life_pct", "pct", datetime(2026, 2, 13, tzinfo=UTC), 60, None)
    assert select_latest(conn, row[0]) == [latest]


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        (f"X-9,filter_life_pct,{T1},64", "unknown_serial", "serial X-9 is not registered"),
        (f"A-1,speed,{T1},64", "unknown_metric", "generic-purifier-pct has no metric 'speed'"),
        (f"A-1,filter_life_pct,{T1},101", "out_of_range", "filter_life_pct is 101 pct, it can be 0 to 100"),
        (f"A-1,filter_life_pct,{T1},NaN", "not_finite", "filter_life_pct is nan"),
        (f"A-1,filter_life_pct,{T1},1_0", "wrong_kind", "filter_life_pct is not a number"),
        (f"A-1,filter_life_pct,{T1},", "wrong_kind", "filter_life_pct is not a number"),
        (f"A-1,filter_life_pct,{T1},true", "wrong_kind", "filter_life_pct is not a number"),
        (f"A-1,power,{T1},1", "wrong_kind", "power is not true or false"),
        (f"V-1,state,{T1},flying", "out_of_range", "state is 'flying', it can be"),
        ("A-1,filter_life_pct,2026-02-11T09:00:00,64", "bad_time", "has no offset from UTC"),
        ("A-1,filter_life_pct,yesterday,64", "bad_time", "neither epoch milliseconds nor RFC 3339"),
        ("A-1,filter_life_pct,,64", "bad_time", "neither epoch milliseconds nor RFC 3339"),
        ("A-1,filter_life_pct,99999999999999999,64", "bad_time", "is beyond the calendar"),
        ("A-1,filter_life_pct,2026-02-16T12:06:00Z,64", "bad_time", "has not come yet"),
        (
            "A-1,filter_life_pct,1770768000,64",
            "bad_time",
            "1970-01-21T11:52:48+00:00 is before 2016-02-19, the earliest",
        ),
        ("A-1,filter_life_pct,1770768000,64", "bad_time", "is it in seconds? write milliseconds"),
        ("A-1,filter_life_pct,0,64", "bad_time", "1970-01-01T00:00:00+00:00 is before 2016-02-19"),
        ("A-1,filter_life_pct,0001-01-01T00:00:00Z,64", "bad_time", "the earliest that is taken"),
        (f"A-1,filter_life_pct,{T1}", "malformed", "the line has 3 columns, the first line has 4"),
        (f'A-1,filter_life_pct,{T1},"64', "malformed", "the line has a quote that does not end"),
    ],
)
def test_a_bad_row_is_quarantined_as_it_was_and_the_rest_is_stored(
    conn: WriteConnection, path: Path, line: str, code: str, sentence: str
) -> None:
    summary = load(conn, path, f"A-1,power,{T1},true\n{line}\nA-1,power,{T2},false\n")
    assert outcomes(summary) == (2, 0, 0, 1)
    assert [sentence in refusal.reason for refusal in summary.refusals] == [True]
    ((item, stored_code, _, topic, payload),) = quarantined(conn)
    assert (item, stored_code, topic, payload) == ("3", code, "import:history.csv", line.encode())


def test_bytes_that_are_no_text_are_kept_as_they_were(conn: WriteConnection, path: Path) -> None:
    rows = b"A-1,filter_life_pct,\xff\xfe,64\n\x00,\x00,\x00,\x00\nA\x00-1,fi\x00lter,x,1\n"
    assert outcomes(load(conn, path, rows)) == (0, 0, 0, 3)
    assert [row[4] for row in quarantined(conn)] == rows.splitlines()


def test_the_minute_counts_every_row_once(conn: WriteConnection, path: Path) -> None:
    good = f"A-1,filter_life_pct,{T1},64\nA-1,filter_life_pct,{T1},64\nA-1,filter_life_pct,{T1},63\n"
    load(conn, path, good + "bad\n", chunk_rows=2)
    query = "select messages, received, stored, duplicate, conflict, quarantined from ingest_minute"
    assert conn.execute(query + " where consumer = 'import'").fetchall() == [(4, 4, 1, 1, 1, 1)]


def test_progress_reaches_the_end_of_the_file(conn: WriteConnection, path: Path) -> None:
    path.write_text(HEADER + f"A-1,power,{T1},true\nA-1,power,{T2},true\nA-1,power,{T3},true\n")
    heard: list[tuple[int, int]] = []
    import_readings(
        conn,
        path,
        at=NOW,
        clock_future=timedelta(),
        chunk_rows=2,
        on_progress=lambda done, of: heard.append((done, of)),
    )
    assert len(heard) == 2
    assert heard[-1] == (path.stat().st_size, path.stat().st_size)


def test_an_import_that_was_killed_half_way_is_finished_by_a_second_run(database: str, path: Path) -> None:
    minutes = [NOW - timedelta(minutes=n) for n in range(1, 101)]
    lines = [f"A-1,filter_life_pct,{at.isoformat()},{at.minute}\n" for at in minutes]
    path.write_text(HEADER + "".join(lines) + f"A-1,filter_life_pct,{minutes[0].isoformat()},99\nbad\n")
    with connect(database) as conn:
        register_device(conn, serial="A-1", model="generic-purifier-pct", installed_at=NOW, at=NOW)

    def kill_after_50(done: int, _of: int) -> None:
        if done > len(HEADER) + sum(map(len, lines[:40])):
            killer.execute("select pg_terminate_backend(%s)", [victim.info.backend_pid])

    with connect(database) as killer, connect(database) as victim, pytest.raises(psycopg.OperationalError):
        import_readings(victim, path, at=NOW, clock_future=timedelta(), chunk_rows=10, on_progress=kill_after_50)
    with connect(database) as conn:
        assert len(stored(conn)) == 50
        summary = load(conn, path, chunk_rows=10)
        assert outcomes(summary) == (50, 50, 1, 1)
        assert [(row[1], row[2]) for row in stored(conn)] == [(at, at.minute) for at in reversed(minutes)]


def test_a_parquet_file_is_read_like_csv(conn: WriteConnection, tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    day = datetime(2026, 2, 11, tzinfo=UTC)
    table = pa.table(
        {
            "value": [64.5, 101.0, float("nan"), 63.0],
            "serial": ["A-1", "A-1", "A-1", None],
            "metric": ["filter_life_pct"] * 4,
            "ts": [day, day, day, day],
        }
    )
    pq.write_table(table, tmp_path / "h.parquet")
    assert outcomes(load(conn, tmp_path / "h.parquet")) == (1, 0, 0, 3)
    assert stored(conn) == [("filter_life_pct", day, 64.5, None, False)]
    assert [row[:2] for row in quarantined(conn)] == [
        ("2", "out_of_range"),
        ("3", "not_finite"),
        ("4", "unknown_serial"),
    ]
    assert outcomes(load(conn, tmp_path / "h.parquet")) == (0, 4, 0, 0)


def test_a_naive_parquet_time_is_bad_and_epoch_milliseconds_are_good(conn: WriteConnection, tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    columns = {"serial": ["A-1"], "metric": ["power"], "value": [True]}
    pq.write_table(pa.table(columns | {"ts": [datetime(2026, 2, 11)]}), tmp_path / "naive.parquet")  # noqa: DTZ001  # a naive time is what is tried
    assert outcomes(load(conn, tmp_path / "naive.parquet")) == (0, 0, 0, 1)
    pq.write_table(pa.table(columns | {"ts": [1770768000000]}), tmp_path / "epoch.parquet")
    assert outcomes(load(conn, tmp_path / "epoch.parquet")) == (1, 0, 0, 0)


def test_a_file_that_is_not_parquet_or_lacks_a_column_is_one_sentence(conn: WriteConnection, tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    (tmp_path / "a.parquet").write_bytes(b"serial,metric")
    with pytest.raises(InvalidInput, match="cannot be read as Parquet"):
        load(conn, tmp_path / "a.parquet")
    pq.write_table(pa.table({"serial": ["A-1"]}), tmp_path / "b.parquet")
    with pytest.raises(InvalidInput, match="has no column metric, ts, value"):
        load(conn, tmp_path / "b.parquet")


def test_without_pyarrow_the_sentence_says_what_to_install(
    conn: WriteConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").touch()
    with pytest.raises(ConfigurationError, match="pip install pyarrow"):
        load(conn, tmp_path / "a.parquet")
