"""Installations end and begin by what was read."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from devices.bulk.columns import columns_of
from devices.bulk.storing import store_readings
from devices.nouns import Device, Installation, Reading
from devices.parts.installations import update_installations
from devices.registry import register_device
from devices.retention import drop_old_readings
from devices.store import select_installations, select_metrics
from devices.tiers.rollup import refresh_tiers
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import LeaseLost
from millpond.kernel.jobs import claim_run

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
AT = START + timedelta(days=60)


def make_device(conn: WriteConnection, serial: str = "P-1", model: str = "reed-air-2") -> Device:
    return register_device(conn, serial=serial, model=model, installed_at=START, at=START)


def read(
    conn: WriteConnection,
    device: Device,
    metric: str,
    values: Iterable[float | str],
    *,
    start: datetime,
    step: timedelta,
) -> None:
    metric_id = select_metrics(conn)[device.model][metric].metric_id
    store_readings(
        conn,
        columns_of(
            [
                Reading(
                    device.device_id,
                    metric_id,
                    start + i * step,
                    None if isinstance(value, str) else float(value),
                    value if isinstance(value, str) else None,
                    AT,
                    False,
                )
                for i, value in enumerate(values)
            ]
        ),
    )


def parts_of(conn: WriteConnection, device: Device) -> list[Installation]:
    return select_installations(conn, device.device_id)


def test_a_new_filter_seen_by_all_three_signals_is_one_replacement(conn: WriteConnection) -> None:
    device = make_device(conn)
    read(conn, device, "filter_life_pct", [14, 13, 13, 12, 100, 100, 99], start=START, step=6 * HOUR)
    read(conn, device, "filter_used_h", [3010, 3016, 3022, 3028, 2, 8, 14], start=START + HOUR, step=6 * HOUR)
    read(conn, device, "filter_tag", ["A1", "A1", "B7"], start=START, step=18 * HOUR)
    assert update_installations(conn, AT) == 1
    new, old = parts_of(conn, device)
    assert (old.ended_at, old.ended_by) == (START + 24 * HOUR, "identity_change")
    assert (new.installed_at, new.ended_at) == (old.ended_at, None)


def test_running_again_changes_nothing(conn: WriteConnection) -> None:
    device = make_device(conn)
    read(conn, device, "filter_life_pct", [12, 100, 100, 12, 100, 100], start=START, step=HOUR)
    assert update_installations(conn, AT) == 1
    before = parts_of(conn, device)
    assert update_installations(conn, AT) == 0
    assert parts_of(conn, device) == before


def test_a_replacement_in_the_middle_of_a_busy_day_gets_its_moment(conn: WriteConnection) -> None:
    device = make_device(conn, model="generic-purifier-pct")
    read(conn, device, "filter_life_pct", [30 - i / 24 for i in range(240)], start=START, step=HOUR)
    read(conn, device, "filter_life_pct", [100 - i / 24 for i in range(240)], start=START + 240 * HOUR, step=HOUR)
    assert update_installations(conn, AT) == 1
    assert parts_of(conn, device)[0].installed_at == START + 240 * HOUR


def test_a_past_moment_does_not_know_of_a_later_replacement(conn: WriteConnection) -> None:
    device = make_device(conn, model="generic-purifier-pct")
    read(conn, device, "filter_life_pct", [12, 100, 100], start=START, step=HOUR)
    assert update_installations(conn, START + HOUR) == 0
    assert update_installations(conn, START + 2 * HOUR) == 1


def test_late_readings_of_the_old_filter_do_not_end_the_new_one(conn: WriteConnection) -> None:
    device = make_device(conn, model="generic-purifier-pct")
    read(conn, device, "filter_life_pct", [14, 98, 98], start=START, step=timedelta(days=3))
    assert update_installations(conn, AT) == 1
    read(conn, device, "filter_life_pct", [14, 13, 13, 12], start=START + HOUR, step=6 * HOUR)
    read(conn, device, "filter_life_pct", [99, 99, 98], start=START + 48 * HOUR, step=6 * HOUR)
    assert update_installations(conn, AT) == 0
    assert len(parts_of(conn, device)) == 2


def test_every_replacement_of_a_long_history_is_found_at_once(conn: WriteConnection) -> None:
    device = make_device(conn, model="generic-purifier-pct")
    days = timedelta(days=1)
    for life in range(3):
        read(conn, device, "filter_life_pct", range(100, 20, -5), start=START + life * 16 * days, step=days)
    assert update_installations(conn, AT) == 2
    assert [i.installed_at for i in parts_of(conn, device)] == [START + 32 * days, START + 16 * days, START]


def test_a_part_without_readings_is_left_alone(conn: WriteConnection) -> None:
    device = make_device(conn, model="reed-vac-s")
    read(conn, device, "main_brush_used_h", [200, 201, 1, 2], start=START, step=24 * HOUR)
    assert update_installations(conn, AT) == 1
    assert sorted(i.part for i in parts_of(conn, device)) == ["filter", "main_brush", "main_brush", "side_brush"]


def test_a_scheduler_that_lost_its_lease_replaces_nothing(conn: WriteConnection) -> None:
    device = make_device(conn, model="generic-purifier-pct")
    read(conn, device, "filter_life_pct", [12, 100, 100], start=START, step=HOUR)
    claim = claim_run(conn, "forecast", AT, holder="a", at=AT, lease=timedelta(0))
    assert claim is not None
    assert claim_run(conn, "forecast", AT, holder="b", at=AT) is not None
    with pytest.raises(LeaseLost):
        update_installations(conn, AT, claim=claim)
    assert len(parts_of(conn, device)) == 1


def test_an_id_that_is_read_after_the_night_speaks_of_the_replacement_already_known(conn: WriteConnection) -> None:
    device = make_device(conn)
    read(conn, device, "filter_life_pct", [12, 12, 100, 100], start=START, step=6 * HOUR)
    read(conn, device, "filter_tag", ["A1"], start=START, step=HOUR)
    assert update_installations(conn, AT) == 1
    read(conn, device, "filter_tag", ["A1", "B7", "B7"], start=START + 14 * HOUR, step=6 * HOUR)
    assert update_installations(conn, AT) == 0
    assert [i.ended_by for i in parts_of(conn, device)] == [None, "percent_rise"]


@pytest.mark.parametrize("zeros", [1, 4, 12, 23, 60])
@pytest.mark.parametrize("first_zero_h", [0, 5, 22])
def test_hours_at_zero_are_no_new_filter(conn: WriteConnection, zeros: int, first_zero_h: int) -> None:
    device = make_device(conn, model="generic-purifier-pct")
    midnight = START.replace(hour=0) + timedelta(days=1)
    steady = 20 * 24 + first_zero_h
    values = [60.0] * steady + [0.0] * zeros + [60.0] * 72
    read(conn, device, "filter_life_pct", values, start=midnight, step=HOUR)
    assert update_installations(conn, AT) == 0


def test_a_counter_that_begins_again_while_the_percentage_goes_on_is_no_new_filter(conn: WriteConnection) -> None:
    device = make_device(conn, model="generic-purifier-hours")
    read(conn, device, "filter_used_h", [2000 + i for i in range(240)], start=START, step=HOUR)
    read(conn, device, "filter_used_h", range(240), start=START + 240 * HOUR, step=HOUR)
    read(conn, device, "filter_life_pct", [43 - i // 35 for i in range(480)], start=START, step=HOUR)
    assert update_installations(conn, AT) == 0


def test_a_counter_that_begins_again_while_the_percentage_is_silent_is_a_new_filter(conn: WriteConnection) -> None:
    device = make_device(conn, model="generic-purifier-hours")
    read(conn, device, "filter_used_h", [2000 + i for i in range(240)], start=START, step=HOUR)
    read(conn, device, "filter_used_h", range(240), start=START + 240 * HOUR, step=HOUR)
    read(conn, device, "filter_life_pct", [43 - i // 35 for i in range(240)], start=START, step=HOUR)
    assert update_installations(conn, AT) == 1


def test_a_replacement_whose_old_level_comes_back_is_undone(conn: WriteConnection) -> None:
    device = make_device(conn, model="generic-purifier-pct")
    days = timedelta(days=1)
    read(conn, device, "filter_life_pct", [40.0] * 240, start=START, step=HOUR)
    read(conn, device, "filter_life_pct", [100.0] * 72, start=START + 10 * days, step=HOUR)
    assert update_installations(conn, START + 13 * days) == 1
    [wrong, old] = parts_of(conn, device)
    read(conn, device, "filter_life_pct", [39.0] * 72, start=START + 13 * days, step=HOUR)
    at = START + 16 * days
    assert update_installations(conn, at) == 0
    after = {part.installation_id: part for part in parts_of(conn, device)}
    restored, undone = after[old.installation_id], after[wrong.installation_id]
    assert (restored.installed_at, restored.ended_at, restored.ended_by) == (START, None, None)
    assert (undone.ended_at, undone.ended_by, undone.undone_because) == (at, "undone", "came_back")
    assert update_installations(conn, AT) == 0
    assert len(parts_of(conn, device)) == 2


def test_a_replacement_that_another_limit_contradicts_later_is_undone(conn: WriteConnection) -> None:
    device = make_device(conn, model="generic-purifier-hours")
    days = timedelta(days=1)
    read(conn, device, "filter_used_h", [2000 + i for i in range(240)], start=START, step=HOUR)
    read(conn, device, "filter_life_pct", [43 - i // 35 for i in range(240)], start=START, step=HOUR)
    read(conn, device, "filter_used_h", range(240), start=START + 10 * days, step=HOUR)
    assert update_installations(conn, START + 11 * days) == 1
    read(conn, device, "filter_life_pct", [37 - i // 35 for i in range(240)], start=START + 10 * days, step=HOUR)
    assert update_installations(conn, START + 15 * days) == 0
    assert [(p.ended_by, p.undone_because) for p in parts_of(conn, device)] == [
        ("undone", "contradicted"),
        (None, None),
    ]


def test_an_id_that_is_read_again_undoes_the_replacement_it_seemed_to_tell_of(conn: WriteConnection) -> None:
    device = make_device(conn)
    read(conn, device, "filter_tag", ["A1", "A1", "B7", "B7"], start=START, step=24 * HOUR)
    assert update_installations(conn, START + 4 * 24 * HOUR) == 1
    read(conn, device, "filter_tag", ["A1", "A1"], start=START + 96 * HOUR, step=24 * HOUR)
    assert update_installations(conn, START + 7 * 24 * HOUR) == 0
    assert [i.undone_because for i in parts_of(conn, device)] == ["came_back", None]


def test_a_real_replacement_after_one_that_was_undone_is_found(conn: WriteConnection) -> None:
    device = make_device(conn, model="generic-purifier-pct")
    days = timedelta(days=1)
    read(conn, device, "filter_life_pct", [12.0] * 10 + [100.0] * 3, start=START, step=days)
    assert update_installations(conn, START + 12 * days) == 1
    read(conn, device, "filter_life_pct", [11.0] * 5 + [100.0] * 5, start=START + 13 * days, step=days)
    assert update_installations(conn, START + 30 * days) == 1
    told = {(i.installed_at, i.ended_by) for i in parts_of(conn, device)}
    assert told == {(START, "percent_rise"), (START + 10 * days, "undone"), (START + 18 * days, None)}


def test_a_run_for_a_past_moment_undoes_nothing(conn: WriteConnection) -> None:
    device = make_device(conn, model="generic-purifier-pct")
    read(conn, device, "filter_life_pct", [12, 12, 100, 100, 100], start=START, step=24 * HOUR)
    assert update_installations(conn, AT) == 1
    before = parts_of(conn, device)
    for hours in range(0, 120, 6):
        assert update_installations(conn, START + hours * HOUR) == 0
        assert parts_of(conn, device) == before


def test_of_a_day_whose_readings_were_dropped_its_ends_still_tell_of_a_replacement(database: str) -> None:
    changed = START + 100 * HOUR
    with connect(database) as conn:
        device = make_device(conn, model="generic-purifier-pct")
        read(conn, device, "filter_life_pct", [30.0] * 100, start=START, step=HOUR)
        read(conn, device, "filter_life_pct", [100.0] * 100, start=changed, step=HOUR)
        assert drop_old_readings(conn, AT) > 0
        refresh_tiers(conn)
        assert update_installations(conn, AT) == 1
        assert parts_of(conn, device)[0].installed_at.date() == changed.date()
