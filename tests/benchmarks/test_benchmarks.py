"""The benchmarks run and say what they promise. Nothing here looks at how quick anything was."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COMMON = {"benchmark", "figure", "unit", "reference", "reference_name", "ratio", "sizes", "notes", "machine"}
SMALL = {
    "write": (["--rows", "300", "--repeats", "1"], {"rows_per_s"}),
    "forecast": (
        ["--devices", "20", "--days", "70", "--readings-a-day", "1", "--fits", "1"],
        {"installations_per_s", "compute_installations_per_s"},
    ),
    "accuracy": (
        ["--devices", "12", "--days", "150", "--every-days", "20"],
        {"median_abs_days", "mean_abs_days", "bias_days", "coverage_80_ratio"}
        | {f"late_ratio_at_{mark}_pct" for mark in (50, 30, 20)}
        | {f"{reference}_median_abs_days" for reference in ("straight_line", "run_rate")},
    ),
    "storage": (
        ["--devices", "1", "--every-minutes", "240", "--days", "40"],
        {"bytes_per_reading", "year_by_day_ms", "year_by_six_hours_ms"},
    ),
    "devices": (
        ["--devices", "3,9", "--messages", "20", "--batch", "4"],
        {"wall_us_per_message"}
        | {
            f"{turn}{part}_us_{size}"
            for turn in ("", "first_")
            for part in ("wall", "ingest_cpu", "database_cpu")
            for size in (3, 9)
        },
    ),
    "identity": (["--people", "300", "--batch", "50"], {"precision", "recall", "largest", "first_us_per_claim"}),
    "segments": (
        ["--customers", "1000", "--changed", "5"],
        {"customers_per_s", "first_refresh_s", "whole_refresh_s", "changed_refresh_s", "plain_aggregate_s"},
    ),
    "startup": (["--repeats", "1"], {"help_s", "serve_s"}),
}


def run_small(name: str, *options: str) -> dict[str, Any]:
    """The JSON object that the benchmark prints last."""
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1], parse_constant=_refuse)
    return answer


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def check(answer: dict[str, Any], name: str, figures: set[str]) -> None:
    assert set(answer) >= COMMON | figures
    assert answer["benchmark"] == name
    assert answer["figure"] in figures
    assert answer["reference"] > 0
    assert answer["ratio"] == pytest.approx(answer[answer["figure"]] / answer["reference"], rel=0.01)


@pytest.mark.parametrize("name", SMALL)
def test_a_benchmark_prints_its_figures_its_reference_and_their_ratio(name: str, server_dsn: str) -> None:
    options, figures = SMALL[name]
    check(run_small(name, *options, "--dsn", server_dsn), name, figures)


def test_ingest_and_the_c_subscriber_read_the_same_stream(server_dsn: str, own_broker: str) -> None:
    if shutil.which("mosquitto_sub") is None and not os.environ.get("CI"):
        pytest.skip("the reference needs mosquitto_sub: apt-get install mosquitto-clients")
    sizes = ["--messages", "40", "--publishers", "2", "--waiting", "40", "--devices", "5", "--paced-s", "0.5"]
    answer = run_small("ingest", *sizes, "--dsn", server_dsn, "--broker", own_broker)
    cpu = {f"{part}_cpu_us" for part in ("ingest", "broker", "database")}
    drain = {f"drain_{name}" for name in ("messages_per_s", "readings_per_s", "reference", "ratio")}
    check(
        answer, "ingest", {"messages_per_s", "readings_per_s", "paced_messages_per_s", "p50_ms", "p99_ms"} | cpu | drain
    )
    assert 0 < answer["p50_ms"] <= answer["p99_ms"]
    assert answer["readings_per_s"] == pytest.approx(5 * answer["messages_per_s"], rel=0.01)


def test_the_feed_and_healthz_are_held_against_bare_endpoints(server_dsn: str) -> None:
    if shutil.which("wrk") is None and not os.environ.get("CI"):
        pytest.skip("the load needs wrk: apt-get install wrk")
    sizes = ["--customers", "20", "--asking", "5", "--decided", "5", "--rounds", "1", "--seconds", "1"]
    answer = run_small("offers", *sizes, "--dsn", server_dsn)
    health = {f"healthz_{name}" for name in ("requests_per_s", "p50_ms", "p99_ms", "reference", "ratio")}
    check(answer, "offers", {"decisions_per_s", "requests_per_s", "p50_ms", "p99_ms", "reference_h11"} | health)
    ratio = answer["healthz_requests_per_s"] / answer["healthz_reference"]
    assert answer["healthz_ratio"] == pytest.approx(ratio, rel=0.01)


def test_events_are_held_against_copy_of_the_same_rows(server_dsn: str) -> None:
    if shutil.which("wrk") is None and not os.environ.get("CI"):
        pytest.skip("the load needs wrk: apt-get install wrk")
    answer = run_small("events", "--rounds", "1", "--seconds", "1", "--batch", "5", "--dsn", server_dsn)
    check(answer, "events", {"events_per_s", "p50_ms", "p99_ms", "serve_cpu_us", "database_cpu_us"})


@pytest.mark.parametrize(("name", "package"), [("ingest", "mosquitto-clients"), ("offers", "wrk"), ("events", "wrk")])
def test_without_its_client_in_c_one_sentence_says_how_to_install_it(tmp_path: Path, name: str, package: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}"],
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"apt-get install {package}" in done.stderr
