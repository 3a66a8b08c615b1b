"""What waits and cannot be stored as it is stays in quarantine, and holds nobody up."""

import threading
from dataclasses import replace
from typing import Any

from devices.aliases import alias_device
from devices.store import read_device
from ingest.formats.format import Formats, Subscription
from ingest.formats.millpond_v1 import MILLPOND_V1
from ingest.formats.saying import Saying
from ingest.formats.spoken import spoken
from ingest.lobby.admission import admit_by_rules, make_rule
from ingest.lobby.known import store_known
from ingest.lobby.store import select_rules
from ingest.nouns import Decoded, DecodedReading, Delivery, Lane
from ingest.storing.terms import Terms
from millpond.kernel.db import WriteConnection, connect
from tests.ingest.conftest import wait_until
from tests.ingest.hub_format import HUB
from tests.ingest.lobby_world import (
    LATER,
    LIMITS,
    MINUTE,
    NOW,
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


def alias(conn: WriteConnection, serial: str, format_name: str, external_id: str) -> None:
    register(conn, serial)
    device_id = read_device(conn, serial).device_id
    alias_device(conn, device_id, format_name=format_name, external_id=external_id, at=LATER)


def refused(conn: WriteConnection) -> list[tuple[Any, ...]]:
    return conn.execute("select code, reason from quarantine where stored_at is null").fetchall()


def parse(delivery: Delivery, _described: Any) -> list[Saying]:
    return [Saying("0x1", {"life": 64}, other_names=(delivery.topic.removeprefix("tongue/"),))]


def test_what_came_under_a_name_that_is_nobodys_is_not_said_to_be_stored(conn: WriteConnection) -> None:
    formats = Formats(spoken("tongue", [Subscription("tongue/#", Lane.LIVE)], parse))
    for name in ("den", "kitchen"):
        store(conn, Delivery(f"tongue/{name}", b"64", NOW, Lane.LIVE, 1, 1, 1), formats=formats)
    alias(conn, "AIR-K", "tongue", "kitchen")
    store_known(conn, Terms(LIMITS, formats=formats), at=LATER)
    assert refused(conn) == [("refused", "nothing in it is called a name of AIR-K")]
    assert waiting(conn) == []


def decode_badly(*what: Any) -> list[Decoded]:
    """A format with a mistake: it takes for a state what no database takes for text."""
    results = list(HUB.decode(*what))
    for decoded in results:
        bad = [replace(one.reading, value=None, state="\udc80") for one in decoded.readings]
        decoded.readings = [DecodedReading(reading, None) for reading in bad]
    return results


def test_what_makes_us_fail_is_set_aside_and_those_behind_it_are_stored(conn: WriteConnection) -> None:
    formats = Formats(MILLPOND_V1, replace(HUB, decode=decode_badly))
    store(conn, hub(a={"filter_life_pct": 64}), message(sample(1)), formats=formats)
    alias(conn, "AIR-A", "hub", "a")
    register(conn)
    store_known(conn, Terms(LIMITS, formats=formats), at=LATER)
    assert values(conn) == [(64, NOW)]
    [(code, reason)] = refused(conn)
    assert code == "refused"
    assert "surrogates not allowed" in reason


def test_a_rule_counts_whom_it_admits_once_however_many_ingests_look(database: str) -> None:
    with connect(database) as one, connect(database) as other:
        make_rule(one, format_name="hub", pattern="*", model="reed-air-2", region="", at=NOW, by="operator:o")
        store(one, hub(a={"filter_life_pct": 64}))
        with one.transaction():
            admit_by_rules(one, at=LATER, most_of_rule=9)
            late = threading.Thread(target=admit_by_rules, args=(other,), kwargs={"at": LATER, "most_of_rule": 9})
            late.start()
            pid = other.info.backend_pid
            waits = "select from pg_locks where pid = %s and not granted"
            wait_until(lambda: one.execute(waits, [pid]).rowcount > 0, "the other to wait")
        late.join()
        assert [rule.admitted for rule in select_rules(one)] == [1]


def test_a_look_ends_where_enough_was_stored_however_few_messages_it_is_of(conn: WriteConnection) -> None:
    for serial in ("GHOST-1", "GHOST-2"):
        store(conn, *(message(bare(), serial, at=NOW + n * MINUTE) for n in range(9)))
        register(conn, serial)
    assert [look(conn, most=5).messages for _ in range(3)] == [9, 9, 0]
