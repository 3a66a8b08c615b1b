"""A clock that is wrong and yet goes: what was measured keeps its distances in time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from devices.registry import register_device
from ingest.nouns import Delivery, Lane
from millpond.kernel.db import WriteConnection
from tests.ingest.test_times import NOW, S, delivery, store

MINUTE = timedelta(minutes=1)
SINCE_1970 = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _device(conn: WriteConnection) -> None:
    register_device(conn, serial=S, model="reed-air-2", installed_at=NOW - timedelta(days=9), at=NOW)


def message(*samples: tuple[int, Any]) -> dict[str, Any]:
    """Samples of one boot: number, and what its clock said in milliseconds."""
    return {"boot": "b", "samples": [{"seq": s, "ts": ts, "metrics": {"filter_life_pct": 64}} for s, ts in samples]}


def ms(minutes: float) -> int:
    return int(minutes * 60_000)


def times(conn: WriteConnection) -> list[datetime]:
    """The moments of all readings, rounded to seconds, oldest first."""
    rows = conn.execute(
        "select date_trunc('second', measured_at + interval '500 ms') from reading order by measured_at"
    )
    return [at for (at,) in rows]


def test_samples_of_one_message_keep_the_distances_that_a_clock_from_1970_says(conn: WriteConnection) -> None:
    store(conn, delivery(message((1, ms(1)), (2, ms(11)), (3, ms(21)))))
    assert times(conn) == [NOW - 20 * MINUTE, NOW - 10 * MINUTE, NOW]


def test_a_clock_that_is_ahead_keeps_them_too(conn: WriteConnection) -> None:
    ahead = int((NOW + timedelta(days=9000)).timestamp() * 1000)
    store(conn, delivery(message((1, ahead), (2, ahead + ms(10)))))
    assert times(conn) == [NOW - 10 * MINUTE, NOW]


def test_a_message_that_comes_late_is_dated_by_the_least_delay_that_was_seen(conn: WriteConnection) -> None:
    store(conn, delivery(message((1, ms(1)))))
    store(conn, delivery(message((2, ms(2))), at=NOW + 2 * MINUTE))
    assert times(conn) == [NOW, NOW + MINUTE]


def test_backfill_is_dated_by_the_clock_of_its_boot(conn: WriteConnection) -> None:
    store(conn, delivery(message((5, ms(100)))))
    store(conn, delivery(message((3, ms(60)), (4, ms(80))), at=NOW + MINUTE, lane=Lane.BACKFILL))
    assert times(conn) == [NOW - 40 * MINUTE, NOW - 20 * MINUTE, NOW]


def test_without_a_live_sample_backfill_counts_when_it_came(conn: WriteConnection) -> None:
    store(conn, delivery(message((3, ms(60)), (4, ms(80))), lane=Lane.BACKFILL))
    assert times(conn) == [NOW, NOW]


def test_a_sample_that_comes_again_keeps_its_time_whatever_the_clock_says_by_then(conn: WriteConnection) -> None:
    store(conn, delivery(message((1, ms(1)), (2, ms(11)))))
    before = times(conn)
    again = store(conn, delivery(message((3, ms(12)), (1, ms(1)), (2, ms(11))), at=NOW + 5 * MINUTE))
    assert (again.tally.duplicate, times(conn)[:2]) == (2, before)


@pytest.mark.parametrize(
    "said",
    [[1000, 1000, 1000], [1_771_243, 1_771_303, 1_771_363], [ms(900), ms(3), ms(4)]],
    ids=["stands", "counts seconds", "was set back"],
)
def test_a_clock_that_tells_nothing_leaves_the_time_of_receiving(conn: WriteConnection, said: list[int]) -> None:
    for number, ts in enumerate(said):
        store(conn, delivery(message((number + 1, ts)), at=NOW + number * 60 * MINUTE))
    assert times(conn)[:2] == [NOW, NOW + 60 * MINUTE]


def test_only_a_clock_that_was_seen_to_go_dates_what_was_measured_after_its_last_live_sample(
    conn: WriteConnection,
) -> None:
    later = delivery(message((3, ms(4)), (4, ms(5))), at=NOW + 9 * MINUTE, lane=Lane.BACKFILL)
    store(conn, delivery(message((1, ms(1)))))
    store(conn, later)
    assert times(conn) == [NOW, NOW + 9 * MINUTE, NOW + 9 * MINUTE]
    conn.execute("delete from reading")
    conn.execute("delete from sequence")
    conn.execute("delete from effective_time")
    store(conn, delivery(message((2, ms(2))), at=NOW + MINUTE))
    store(conn, later)
    assert times(conn) == [NOW + MINUTE, NOW + 3 * MINUTE, NOW + 4 * MINUTE]


def test_a_clock_that_stands_does_not_date_what_was_measured_later(conn: WriteConnection) -> None:
    store(conn, delivery(message((1, ms(1)))))
    store(conn, delivery(message((2, ms(1))), at=NOW + 9 * MINUTE, lane=Lane.BACKFILL))
    assert times(conn) == [NOW, NOW + 9 * MINUTE]


def test_samples_that_come_at_once_do_not_show_that_a_clock_goes(conn: WriteConnection) -> None:
    for number in range(3):
        store(conn, delivery(message((number + 1, 1_771_243 + number)), at=NOW + timedelta(microseconds=number)))
    store(conn, delivery(message((4, 1_771_247)), at=NOW + MINUTE, lane=Lane.BACKFILL))
    assert times(conn)[-1] == NOW + MINUTE


def test_what_the_broker_kept_or_sends_again_says_nothing_of_the_clock(conn: WriteConnection) -> None:
    late = delivery(message((1, ms(1))))
    for number, mark in enumerate(({"redelivered": True}, {"retained": True})):
        store(conn, Delivery(**{**fields(late), "payload": delivery(message((number + 1, ms(1)))).payload, **mark}))
    assert conn.execute("select count(*) from boot_clock").fetchone() == (0,)


def fields(one: Delivery) -> dict[str, Any]:
    names = ("topic", "payload", "received_at", "lane", "mid", "qos", "epoch")
    return {name: getattr(one, name) for name in names}


def test_no_time_is_before_what_a_good_clock_may_say(conn: WriteConnection) -> None:
    far = int((NOW + timedelta(days=9000)).timestamp() * 1000)
    store(conn, delivery(message((1, ms(0)), (2, far))))
    assert times(conn) == [NOW, NOW]


def test_times_of_one_boot_rise_with_its_numbers(conn: WriteConnection) -> None:
    for number in range(20):
        late = timedelta(seconds=(number * 7) % 5)
        store(conn, delivery(message((number + 1, ms(number))), at=NOW + number * MINUTE + late))
    assert all(one < other for one, other in pairwise(times(conn)))
    assert times(conn)[-1] - times(conn)[0] == 19 * MINUTE


def test_a_device_without_a_clock_may_say_how_long_it_has_been_on(conn: WriteConnection) -> None:
    samples = [{"seq": seq, "uptime_s": up, "metrics": {"filter_life_pct": 64}} for seq, up in ((1, 30.5), (2, 630.5))]
    store(conn, delivery({"boot": "b", "samples": samples}))
    assert times(conn) == [NOW - 10 * MINUTE, NOW]


@pytest.mark.parametrize("uptime_s", [-1, True, "30", 1e300, float("inf"), None])
def test_an_uptime_that_is_none_is_as_if_it_were_not_there(conn: WriteConnection, uptime_s: Any) -> None:
    store(conn, delivery({"boot": "b", "seq": 1, "uptime_s": uptime_s, "metrics": {"filter_life_pct": 64}}))
    assert (times(conn), conn.execute("select corrected from reading").fetchall()) == ([NOW], [(True,)])


def test_a_clock_that_stands_while_its_device_sleeps_dates_nothing_long_before_it_came(conn: WriteConnection) -> None:
    hours = [NOW + timedelta(hours=number) for number in range(48)]
    for number, at in enumerate(hours):
        store(conn, delivery(message((number + 1, ms(36 * number + 1))), at=at))
    assert max(came - told for came, told in zip(hours, times(conn), strict=True)) <= 30 * MINUTE


def test_messages_that_come_late_and_catch_up_keep_their_distances(conn: WriteConnection) -> None:
    came = [0, 30, 60, 115, 141, 152, 180]
    for number, minutes in enumerate(came):
        store(conn, delivery(message((number + 1, ms(30 * number + 1))), at=NOW + minutes * MINUTE))
    assert times(conn) == [NOW + 30 * number * MINUTE for number in range(7)]
