"""Who waits too long goes, with what waited, and the lobby counts what is left."""

from datetime import timedelta
from typing import Any

from ingest.lobby.nouns import LobbyState
from millpond.kernel.db import WriteConnection
from tests.endings import retain
from tests.ingest.lobby_world import NOW, admit, bare, message, register, sample, store, waiting

DAY = timedelta(days=1)


def count(conn: WriteConnection) -> Any:
    return conn.execute(
        "select (select count(*) from lobby), (select count(*) from quarantine),"
        " (select count(*) from quarantined_message)"
    ).fetchone()


def test_who_is_not_heard_of_any_more_goes_with_all_that_waited(conn: WriteConnection) -> None:
    store(conn, message(sample(1)), message(bare()), message(bare()))
    assert retain(conn, NOW + 80 * DAY, minute_keep_days=0, boot_keep_days=0) == {}
    gone = retain(conn, NOW + 91 * DAY, minute_keep_days=0, boot_keep_days=0)
    assert gone == {"messages of unknown devices": 2, "unknown devices": 1, "quarantined messages": 2}
    assert count(conn) == (0, 0, 0)


def test_of_who_still_speaks_only_what_is_old_goes_and_the_room_is_free_again(conn: WriteConnection) -> None:
    store(conn, message(sample(1)), message(sample(2)))
    store(conn, message(sample(3), at=NOW + 60 * DAY), at=NOW + 60 * DAY)
    [before] = waiting(conn)
    assert retain(conn, NOW + 91 * DAY, minute_keep_days=0)["messages of unknown devices"] == 2
    [after] = waiting(conn)
    assert (before.messages, after.messages) == (3, 1)
    assert 0 < after.bytes < before.bytes
    register(conn)
    assert admit(conn, "GHOST").stored.messages == 1


def test_what_came_again_since_does_not_go_with_its_first_time(conn: WriteConnection) -> None:
    store(conn, message(bare()))
    store(conn, message(bare(), at=NOW + 60 * DAY), at=NOW + 60 * DAY)
    retain(conn, NOW + 91 * DAY, minute_keep_days=0)
    register(conn)
    assert admit(conn, "GHOST").stored.tally.stored == 2


def test_what_waits_has_an_age_of_its_own(conn: WriteConnection) -> None:
    store(conn, message(sample(1)))
    kept = {"minute_keep_days": 0, "boot_keep_days": 0}
    assert retain(conn, NOW + 10 * DAY, quarantine_keep_days=1, **kept) == {}
    assert retain(conn, NOW + 10 * DAY, lobby_keep_days=5, **kept)["messages of unknown devices"] == 1


def test_who_was_admitted_long_ago_is_remembered_as_a_device_alone(conn: WriteConnection) -> None:
    store(conn, message(sample(1)))
    admit(conn, "GHOST")
    assert retain(conn, NOW + 91 * DAY, minute_keep_days=0)["unknown devices"] == 1
    assert waiting(conn, LobbyState.ADMITTED) == []
