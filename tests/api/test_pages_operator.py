"""The operator's pages: forecasts of today, jobs in short words, titles."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.reads.fleet import select_devices_in_doubt
from api.web.allowance_words import allowance_words
from api.web.doubt_words import clock_words
from api.web.job_words import job_words
from forecasting.job import run_forecasts
from ingest.nouns import Delivery, Lane, Limits
from ingest.storing.allowance import Allowance
from ingest.storing.batch import store_batch
from millpond.kernel.db import WriteConnection
from millpond.kernel.jobs import claim_run, finish_run
from millpond.kernel.settings import Settings
from tests.api.world import NOW, World, make_offer, use_up

LIMITS = Limits.from_settings(Settings())
LATER = datetime(2030, 1, 1, tzinfo=UTC)


def test_a_forecast_for_a_later_moment_hides_none_of_today(world: World) -> None:
    make_offer(world)
    ann, ops = world.browser("customer", world.ann.customer_id), world.browser("operator", "ops")
    [forecast] = world.as_ann.get("/v1/devices/AIR-1/forecasts").json()["items"]
    expected = datetime.fromisoformat(forecast["depletes_p50"]).strftime("%-d %B")
    with world.connect() as conn:
        run_forecasts(conn, LATER, made_at=NOW, forecaster="fixed")
    assert f"<strong>{expected}</strong>" in ops.get("/ops").text
    assert f"<strong>{expected}</strong>" in ops.get("/ops/forecasts").text
    assert f"Lasts until about {expected}" in ann.get("/me").text


def test_what_came_of_a_job_is_said_in_words(world: World) -> None:
    by_method = {"fixed_rate": 21, "cohort_prophet": 6}
    summary = {"run_id": 9, "at": "2026-03-02", "installations": 30, "forecasts": 27, "refused": 3, "replacements": 0}
    with world.connect() as conn, conn.transaction():
        claim = claim_run(conn, "forecast", NOW, holder="a", at=NOW, lease=timedelta(minutes=5))
        assert claim is not None
        finish_run(conn, claim, at=NOW, summary=summary | {"by_method": by_method})
    page = world.browser("operator", "ops").get("/ops").text
    assert "parts looked at 30, with a date 27, without one 3, method: fixed rate 21, cohort prophet 6</td>" in page


@pytest.mark.parametrize(
    ("job", "summary", "words"),
    [
        (
            "offers",
            {"candidates": 9, "issued": 3, "credited": 2, "not_issued": 6, "failed": 0, "withdrawn": 1, "expired": 0},
            "offers made 3, credited to staff 2, withdrawn 1, needs left without one 6",
        ),
        ("release_commissions", {"released": 12}, "commissions that became payable 12"),
        ("release_commissions", {"released": 0}, "nothing to do"),
        ("late_data", {}, "nothing to do"),
        ("late_data", {"installations": 2, "forecasts": 2}, "parts looked at 2, with a date 2"),
        ("intervals", {"known": 60}, "devices with an interval of their own 60"),
        ("tell", {"devices": 9, "told": 2, "taken_back": 0}, "devices looked at 9, messages sent 2"),
        ("a_job_to_come", {"at": "2026-03-02", "rows_gone": 1200, "kept": {"days": 0}}, "rows gone 1,200"),
    ],
)
def test_every_job_is_told_in_words_and_what_is_zero_is_left_out(job: str, summary: dict[str, Any], words: str) -> None:
    assert job_words(job, summary) == words


def test_every_page_has_a_title_of_its_own(still_world: World) -> None:
    browser = still_world.browser("operator", "ops")
    pages = ("/ops", "/ops/fleet", "/ops/forecasts", "/ops/quarantine", "/docs")
    titles = [re.findall("<title>(.*?)</title>", browser.get(page).text)[0] for page in pages]
    assert len(set(titles)) == len(pages)
    assert titles[1] == "Fleet · Operations · Millpond"


def test_a_forecast_is_called_down_to_its_threshold_and_not_used_up(world: World) -> None:
    make_offer(world)
    page = world.browser("operator", "ops").get("/ops/forecasts").text
    assert "Down to threshold (P50)" in page
    assert "Used up" not in page


def test_the_fleet_says_nothing_of_a_device_without_status(world: World) -> None:
    use_up(world)
    page = world.browser("operator", "ops").get("/ops/fleet?q=AIR-1").text
    assert 'class="state' not in page
    assert "2 Mar 2026, 09:00:00" in page


def test_what_is_in_doubt_is_told_with_its_reason(world: World) -> None:
    use_up(world)
    with world.connect() as conn:
        run_forecasts(conn, NOW, made_at=NOW, forecaster="fixed")
        conn.execute(
            "update depletion_forecast set depletes_p10 = null, depletes_p50 = null, depletes_p90 = null,"
            " reason = 'odd', reason_code = 'limits_contradict'"
        )
    page = world.browser("operator", "ops").get("/ops/forecasts").text
    assert "In doubt" in page
    assert "Its displays contradict each other" in page


def test_devices_that_are_beyond_their_allowances_are_named(world: World) -> None:
    ops = world.browser("operator", "ops")
    assert "Beyond their allowances" not in ops.get("/ops").text
    with world.connect() as conn:
        conn.execute(
            "insert into ingest_drop values ('AIR-1', %(at)s, 'boots', 1234, 5000, 9000, %(at)s),"
            " ('', %(at)s, 'quarantine', 7, 7, 9000, %(at)s)",
            {"at": NOW},
        )
    page = ops.get("/ops").text
    assert re.search(r"<td>AIR-1</td><td>boots an hour</td><td class=\"number\">1,234</td>", page)
    assert "<td>all that are not registered</td><td>refused bytes a day</td>" in page


@pytest.mark.parametrize("allowance", Allowance)
def test_the_overview_names_whatever_allowance_was_used_up(world: World, allowance: Allowance) -> None:
    with world.connect() as conn:
        values = {"at": NOW, "allowance": allowance}
        conn.execute("insert into ingest_drop values ('AIR-1', %(at)s, %(allowance)s, 1, 1, 9, %(at)s)", values)
    assert " " in allowance_words(allowance)
    assert f"<td>AIR-1</td><td>{allowance_words(allowance)}</td>" in world.browser("operator", "ops").get("/ops").text


def test_devices_in_doubt_are_named_with_what_and_since_when(world: World) -> None:
    ops = world.browser("operator", "ops")
    assert "Devices in doubt" not in ops.get("/ops").text
    with world.connect() as conn:
        for turn in range(6):
            sample = {"boot": f"unit-{turn % 2}", "seq": turn // 2 + 1, "metrics": {"power": True}}
            store(conn, "AIR-1", sample | {"ts": 1000}, at=NOW - timedelta(hours=6 - turn))
        few = replace(LIMITS, boot_ranges_max=1)
        store(conn, "TV-1", {"boot": "b", "samples": [{"seq": seq, "metrics": {}} for seq in (1, 3)]}, few)
    page = ops.get("/ops").text
    assert re.findall(r'"What">(.*?)</td><td data-label="Since">(.*?)</td><td data-label="Last">(.*?)</td>', page) == [
        ("more gaps than are kept, its newest samples are not acknowledged: 1 boot", "–", "2 Mar 2026, 09:00:00"),
        (
            "two units under one serial: boots unit-1 and unit-0 take turns, 4 returns",
            "2 Mar 2026, 05:00:00",
            "2 Mar 2026, 08:00:00",
        ),
        ("its clock is 56 years behind; 6 samples with a time of ours", "2 Mar 2026, 03:00:00", "2 Mar 2026, 08:00:00"),
    ]
    assert re.findall(r'"Device">(.*?)</td>', page) == ["TV-1", "AIR-1", "AIR-1"]


def test_doubts_on_the_page_are_the_newest_and_not_old_ones(world: World) -> None:
    with world.connect() as conn:
        conn.execute(
            "insert into sequence (serial, boot, received, given_up, first_seen_at, last_seen_at, overflow_at)"
            " select 'S-' || lpad(n::text, 2, '0'), 'b', '{[1,2)}', '{}', %(at)s, %(at)s,"
            " %(at)s::timestamptz - n * interval '1 day' / 4 from generate_series(0, 59) n",
            {"at": NOW},
        )
        shown = [one.serial for one in select_devices_in_doubt(conn, since=NOW - timedelta(days=3))]
        assert shown == [f"S-{number:02}" for number in range(13)]
        conn.execute(
            "insert into live_name (serial, kind, name, since, shared_names, shared_first_at, shared_last_at,"
            " shared_returns) values ('AIR-1', 'session', 's2', %(at)s, '{s1,s2}', %(at)s, %(at)s, 3)",
            {"at": NOW + timedelta(hours=1)},
        )
        shown = [one.serial for one in select_devices_in_doubt(conn, since=NOW - timedelta(days=30))]
        assert shown == ["AIR-1", *(f"S-{number:02}" for number in range(19))]


@pytest.mark.parametrize(
    ("offset_s", "words"),
    [
        (None, "it says no time"),
        (-1_772_000_000.0, "its clock is 56 years behind"),
        (86_400.0, "its clock is 1 day ahead"),
        (-10_800.0, "its clock is 3 hours behind"),
        (0.4, "its clock is 0 seconds ahead"),
    ],
)
def test_how_far_a_clock_is_off_is_said_in_words(offset_s: float | None, words: str) -> None:
    assert clock_words(offset_s) == words


def store(conn: WriteConnection, serial: str, content: object, limits: Limits = LIMITS, *, at: datetime = NOW) -> None:
    message = Delivery(f"millpond/v1/{serial}/telemetry", json.dumps(content).encode(), at, Lane.LIVE, 1, 1, 1)
    store_batch(conn, [message], limits, consumer="test", at=at)


def test_a_devices_page_says_until_when_its_parts_last(world: World) -> None:
    make_offer(world)
    [forecast] = world.as_ann.get("/v1/devices/AIR-1/forecasts").json()["items"]
    ops = world.browser("operator", "ops")
    assert 'href="/ops/devices/AIR-1"' in ops.get("/ops/forecasts").text
    page = ops.get("/ops/devices/AIR-1").text
    assert f"<strong>{datetime.fromisoformat(forecast['depletes_p50']).strftime('%-d %B')}</strong>" in page
    assert "No forecast has been made" in ops.get("/ops/devices/TV-1").text


def test_a_devices_page_says_what_came_of_it_day_by_day(world: World) -> None:
    use_up(world)
    browser = world.browser("operator", "ops")
    assert 'href="/ops/devices/AIR-1"' in browser.get("/ops/fleet").text
    page = browser.get("/ops/devices/AIR-1").text
    day = world.as_operator.get("/v1/devices/AIR-1/completeness").json()["days"][1]
    assert f'<td class="day">{day["day"][:10]}</td><td class="number">{day["received"]}</td>' in page
    assert "<h2>Latest values</h2>" in page
