"""Unknown devices wait with what they sent; when somebody says who they are, nothing is lost."""

from datetime import timedelta

import pytest

from devices.aliases import alias_device
from devices.store import read_device
from ingest.lobby.admission import As, forget_unknown, refuse_unknown
from ingest.lobby.known import Stored
from ingest.lobby.nouns import LobbyState
from ingest.nouns import Complete, Delivery, Lane, Tally
from ingest.workbench.alarm import check_rate
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import Conflict, InvalidInput, NotFound
from tests.ingest.lobby_world import (
    LATER,
    MINUTE,
    NOW,
    admit,
    bare,
    hub,
    look,
    message,
    register,
    sample,
    store,
    values,
    waiting,
)


def test_who_speaks_and_is_unknown_has_one_row_with_what_waits(conn: WriteConnection) -> None:
    store(conn, message(sample(1)), message(sample(2)))
    store(conn, message(sample(3), at=LATER), at=LATER)
    [one] = waiting(conn)
    assert (one.name, one.format, one.identity, one.by_serial) == ("GHOST", "millpond-v1", "GHOST", True)
    assert (one.messages, one.dropped) == (3, 0)
    assert (one.first_heard_at, one.last_heard_at) == (NOW, LATER)
    assert one.topic == "millpond/v1/GHOST/telemetry"
    assert one.bytes > 3 * 300


def test_each_device_of_a_hub_waits_under_its_own_name(conn: WriteConnection) -> None:
    store(conn, hub(a={"filter_life_pct": 1}, b={"filter_life_pct": 2}))
    assert [(one.name, one.format, one.identity, one.by_serial) for one in waiting(conn)] == [
        ("hub/a", "hub", "a", False),
        ("hub/b", "hub", "b", False),
    ]


def test_a_device_that_speaks_of_itself_alone_is_heard_too(conn: WriteConnection) -> None:
    status = Delivery("millpond/v1/GHOST/status", b'{"state":"online","session":"s"}', NOW, Lane.LIVE, 1, 1, 1)
    store(conn, status)
    assert [(one.name, one.messages) for one in waiting(conn)] == [("GHOST", 0)]


def test_what_is_admitted_is_stored_with_the_times_at_which_it_came(conn: WriteConnection) -> None:
    store(conn, message(sample(1, filter_life_pct=64)), message(sample(2, filter_life_pct=63), at=NOW + MINUTE))
    admitted = admit(conn, "GHOST")
    assert admitted.stored == Stored(2, Tally(stored=2), (Complete("GHOST", "b", 2),))
    assert admitted.waiting == 0
    assert values(conn) == [(64, NOW), (63, NOW + MINUTE)]
    assert read_device(conn, "GHOST").installed_at == NOW, "it was there when it was first heard of"
    assert waiting(conn) == []
    assert [one.decided_by for one in waiting(conn, LobbyState.ADMITTED)] == ["operator:test"]


def test_what_waits_raises_no_alarm_and_what_is_refused_does(conn: WriteConnection) -> None:
    store(conn, message(sample(1)), message(bare()), message(bare(), at=LATER), hub(a={"filter_life_pct": 7}))
    assert check_rate(conn, 1, NOW).items == 0
    register(conn)
    store(conn, message(sample(2, filter_life_pct=640)))
    assert check_rate(conn, 1, NOW).items == 1


def test_to_admit_twice_changes_nothing(conn: WriteConnection) -> None:
    store(conn, message(sample(1)))
    first = admit(conn, "GHOST")
    assert admit(conn, "GHOST").device == first.device
    assert len(values(conn)) == 1


def test_the_counts_hold_before_and_after(conn: WriteConnection) -> None:
    store(conn, message(sample(1)), message(sample(1)))
    admit(conn, "GHOST")
    rows = conn.execute(
        "select consumer, received, stored, duplicate, quarantined from ingest_minute order by consumer desc"
    ).fetchall()
    assert rows == [("test", 2, 0, 1, 1), ("lobby", 1, 1, 0, 0)]
    assert conn.execute("select sum(items), count(stored_at) from quarantine").fetchone() == (1, 1)


@pytest.mark.parametrize("most", [1, 2, 500])
def test_however_a_device_became_known_what_waited_is_stored(conn: WriteConnection, most: int) -> None:
    store(conn, *(message(sample(seq), at=NOW + seq * MINUTE) for seq in range(1, 6)))
    register(conn)
    looks = [look(conn, most) for _ in range(6)]
    assert sum(one.messages for one in looks) == 5
    assert len(values(conn)) == 5
    assert waiting(conn) == []
    assert waiting(conn, LobbyState.ADMITTED)[0].decided_by == "registered"
    assert look(conn) == Stored()


def test_the_name_that_a_hub_uses_makes_a_device_known_too(conn: WriteConnection) -> None:
    store(conn, hub(a={"filter_life_pct": 7}, b={"filter_life_pct": 8}))
    register(conn, "AIR-A")
    alias_device(conn, read_device(conn, "AIR-A").device_id, format_name="hub", external_id="a", at=LATER)
    assert look(conn).tally == Tally(stored=1), "and what the message says of another is not counted again"
    assert [one.name for one in waiting(conn)] == ["hub/b"]


def test_a_hubs_device_gets_a_serial_and_its_name_stands_for_it(conn: WriteConnection) -> None:
    store(conn, hub(**{"living room/air": {"filter_life_pct": 7}}))
    assert admit(conn, "living room/air").device.serial == "living-room-air"
    assert store(conn, hub(NOW + MINUTE, **{"living room/air": {"filter_life_pct": 6}})).tally == Tally(stored=1)


def test_a_hubs_device_may_be_one_that_is_registered(conn: WriteConnection) -> None:
    register(conn, "AIR-A")
    store(conn, hub(a={"filter_life_pct": 7}))
    assert admit(conn, "hub/a", As("reed-air-2", serial="AIR-A")).stored.tally == Tally(stored=1)
    assert conn.execute("select count(*) from device").fetchone() == (1,)


def test_a_name_that_is_another_devices_serial_is_no_serial_for_it(conn: WriteConnection) -> None:
    register(conn, "a")
    store(conn, hub(a={"filter_life_pct": 7}))
    with pytest.raises(Conflict, match="serial a is another device already"):
        admit(conn, "hub/a")


def test_a_device_of_ours_keeps_its_serial_and_its_model(conn: WriteConnection) -> None:
    store(conn, message(sample(1)))
    with pytest.raises(Conflict, match="leave the serial out"):
        admit(conn, "GHOST", As("reed-air-2", serial="OTHER"))
    with pytest.raises(InvalidInput, match="model nothing is not known"):
        admit(conn, "GHOST", As("nothing"))
    admit(conn, "GHOST")
    with pytest.raises(Conflict, match="is registered as a reed-air-2"):
        admit(conn, "GHOST", As("generic-purifier-pct"))


def test_nobody_of_that_name_is_not_found_and_two_are_asked_apart(conn: WriteConnection) -> None:
    with pytest.raises(NotFound, match="nobody in the lobby is 'X'"):
        admit(conn, "X")
    store(conn, message(sample(1), "a"), hub(a={"filter_life_pct": 7}))
    assert admit(conn, "a").device.serial == "a", "a whole name is meant before a part of one"


def test_the_same_words_without_a_number_are_news_each_time(conn: WriteConnection) -> None:
    for minutes in range(3):
        store(conn, message(bare(), at=NOW + minutes * MINUTE))
    assert conn.execute("select count(*) from quarantined_message").fetchone() == (1,)
    assert [one.messages for one in waiting(conn)] == [3]
    assert admit(conn, "GHOST").stored.tally == Tally(stored=3)
    assert values(conn) == [(64, NOW + minutes * MINUTE) for minutes in range(3)]


def test_in_one_batch_they_are_too_and_every_item_is_counted(conn: WriteConnection) -> None:
    same = [message(bare(), at=NOW + seconds * timedelta(seconds=1)) for seconds in range(3)]
    assert store(conn, *same).tally == Tally(quarantined=3)
    assert conn.execute("select sum(items) from quarantine").fetchone() == (3,)
    assert admit(conn, "GHOST").stored.tally == Tally(stored=3)


def test_what_the_broker_had_kept_is_no_news_and_is_none_after_admission(conn: WriteConnection) -> None:
    for minutes in range(3):
        store(conn, message(bare(), at=NOW + minutes * MINUTE, retained=True))
    assert [one.messages for one in waiting(conn)] == [1]
    assert admit(conn, "GHOST").stored.tally == Tally(duplicate=1, no_news=1)


def test_a_numbered_sample_that_comes_again_waits_once(conn: WriteConnection) -> None:
    store(conn, message(sample(1)))
    assert store(conn, message(sample(1), at=LATER), at=LATER).tally == Tally(duplicate=1)
    assert [one.messages for one in waiting(conn)] == [1]


def test_who_is_refused_is_counted_and_not_kept_nor_told_that_it_is_safe(conn: WriteConnection) -> None:
    store(conn, message(sample(1)))
    refuse_unknown(conn, "GHOST", at=NOW, by="operator:test")
    stored = store(conn, message(sample(2)), message(sample(3)))
    assert (stored.tally, stored.complete, len(stored.dropped)) == (Tally(), [], 2)
    [one] = waiting(conn, LobbyState.REFUSED)
    assert (one.messages, one.dropped, one.decided_by) == (1, 2, "operator:test")
    assert admit(conn, "GHOST").stored.tally == Tally(stored=1), "a no may be taken back"


def test_who_is_registered_is_not_refused(conn: WriteConnection) -> None:
    store(conn, message(sample(1)))
    register(conn)
    with pytest.raises(Conflict, match="is registered"):
        refuse_unknown(conn, "GHOST", at=NOW, by="operator:test")


def test_who_is_forgotten_leaves_nothing_and_may_come_again(conn: WriteConnection) -> None:
    store(conn, hub(a={"filter_life_pct": 7}, b={"filter_life_pct": 8}))
    forget_unknown(conn, "hub/a")
    assert [one.name for one in waiting(conn)] == ["hub/b"]
    assert conn.execute("select count(*) from quarantined_message").fetchone() == (1,), "b's is in the same message"
    forget_unknown(conn, "hub/b")
    assert conn.execute("select count(*) from quarantined_message").fetchone() == (0,)
    store(conn, hub(a={"filter_life_pct": 7}))
    assert [(one.name, one.messages) for one in waiting(conn)] == [("hub/a", 1)]


def test_a_message_that_the_database_refuses_does_not_hold_up_the_others(conn: WriteConnection) -> None:
    store(conn, *(message(sample(seq, filter_life_pct=seq)) for seq in range(1, 6)))
    conn.execute("alter table reading add constraint no_two check (value <> 2)")
    admitted = admit(conn, "GHOST")
    assert (admitted.stored.messages, admitted.stored.tally, admitted.waiting) == (5, Tally(stored=4), 0)
    rows = conn.execute("select code, reason from quarantine where stored_at is null").fetchall()
    assert [(code, "no_two" in reason) for code, reason in rows] == [("refused", True)]


def test_a_value_that_is_bad_once_its_device_is_known_is_in_quarantine_for_that(conn: WriteConnection) -> None:
    store(conn, message(sample(1, filter_life_pct=640, filter_used_h=3)))
    assert admit(conn, "GHOST").stored.tally == Tally(stored=1, quarantined=1)
    rows = conn.execute("select code, stored_at is null from quarantine order by code").fetchall()
    assert rows == [("out_of_range", True), ("unknown_serial", False)]
