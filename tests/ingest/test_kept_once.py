"""What waits in quarantine is stored once, however many want to store it at the same moment."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from ingest.lobby.known import store_known
from ingest.storing.retry import retry_quarantine
from ingest.storing.retry_store import Chosen
from ingest.workbench.mending import mend_message
from millpond.kernel.db import WriteConnection, connect
from tests.ingest.conftest import wait_until
from tests.ingest.lobby_world import LATER, MINUTE, NOW, TERMS, bare, look, message, register, store, values, waiting

Way = Callable[[WriteConnection], Any]


def retry(conn: WriteConnection) -> Any:
    return retry_quarantine(conn, Chosen("unknown_serial"), TERMS, at=LATER)


def lobby(conn: WriteConnection) -> Any:
    return store_known(conn, TERMS, at=LATER)


def mend(conn: WriteConnection) -> Any:
    [(number,)] = conn.execute("select quarantine_id from quarantine")
    return mend_message(conn, number, TERMS, payload=json.dumps(bare(filter_life_pct=63)).encode(), at=LATER, by="me")


def waits(conn: WriteConnection, other: WriteConnection) -> bool:
    pid = other.info.backend_pid
    return conn.execute("select from pg_locks where pid = %s and not granted", [pid]).rowcount > 0


@pytest.mark.parametrize(
    ("first", "second"), [(retry, retry), (lobby, retry), (retry, lobby), (mend, retry), (retry, mend), (mend, lobby)]
)
def test_of_two_who_store_what_has_no_number_and_no_time_one_does(database: str, first: Way, second: Way) -> None:
    with connect(database) as one, connect(database) as other:
        store(one, message(bare()))
        register(one)
        with one.transaction():
            first(one)
            late = threading.Thread(target=second, args=(other,))
            late.start()
            wait_until(lambda: not late.is_alive() or waits(one, other), "the second to wait or to be done")
        late.join()
        assert len(values(one)) == 1


def test_what_comes_again_of_a_device_that_is_unknown_again_is_news(conn: WriteConnection) -> None:
    store(conn, message(bare()))
    register(conn)
    assert look(conn).tally.stored == 1
    conn.execute("update device set serial = 'OTHER'")
    assert store(conn, message(bare(), at=LATER), message(bare(), at=LATER + MINUTE), at=LATER).tally.quarantined == 2
    assert [one.messages for one in waiting(conn)] == [2]
    conn.execute("update device set serial = 'GHOST'")
    assert look(conn).tally.stored == 2
    assert [at for _, at in values(conn)] == [NOW, LATER, LATER + MINUTE]
