"""A withdrawal between any two steps stops the very next one: decided, shown, seen, and in the middle of a run."""

import threading
from collections.abc import Callable
from datetime import datetime

import pytest

from customers.consent import record_consent
from customers.nouns import Purpose
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import NotFound
from millpond.kernel.ids import CustomerId
from offers import job
from offers.consenting import Telling, say_consent
from offers.life import mark_seen
from offers.nouns import GateName, OfferState
from offers.showing import show_open_offers
from offers.store import select_decisions
from tests.household import DAY, LEAD, current_part, forecast, make_device, offers_of, run_job
from tests.offers.test_offer_consent import HOUR
from tests.people import AT, make_customer

NEEDED = (Purpose.PERSONALISATION, Purpose.DEVICE_PROFILING, Purpose.MARKETING_APP)


def make_household(conn: WriteConnection, serial: str) -> CustomerId:
    """A customer with a part that is due at AT."""
    customer_id = make_customer(conn).customer_id
    purifier = make_device(conn, serial, "reed-air-2", customer_id, AT - 200 * DAY)
    forecast(conn, current_part(conn, purifier), AT + LEAD.total - DAY, at=AT - DAY)
    return customer_id


def withdraw(conn: WriteConnection, customer_id: CustomerId, purpose: Purpose, at: datetime) -> None:
    """As somebody writes it down who takes nothing back by it."""
    record_consent(conn, customer_id, purpose, version=1, given=False, at=at, source="import", evidence={})


@pytest.mark.parametrize("purpose", NEEDED)
def test_between_the_forecast_and_the_decision(conn: WriteConnection, purpose: Purpose) -> None:
    customer_id = make_household(conn, "A-1")
    withdraw(conn, customer_id, purpose, AT)
    run_job(conn, AT)
    assert offers_of(conn, customer_id) == []
    assert {each.failed_gate for each in select_decisions(conn, customer_id=customer_id)} >= {GateName.CONSENTED}


@pytest.mark.parametrize("purpose", NEEDED)
def test_between_the_decision_and_the_showing_and_between_two_showings(conn: WriteConnection, purpose: Purpose) -> None:
    customer_id = make_household(conn, "A-1")
    run_job(conn, AT)
    assert len(show_open_offers(conn, customer_id, at=AT)) > 0
    withdraw(conn, customer_id, purpose, AT + HOUR)
    assert show_open_offers(conn, customer_id, at=AT + HOUR) == []


@pytest.mark.parametrize("purpose", NEEDED)
def test_between_the_showing_and_the_look_at_it(conn: WriteConnection, purpose: Purpose) -> None:
    customer_id = make_household(conn, "A-1")
    run_job(conn, AT)
    [shown] = show_open_offers(conn, customer_id, at=AT)[:1]
    withdraw(conn, customer_id, purpose, AT + HOUR)
    with pytest.raises(NotFound):
        mark_seen(conn, shown.offer.offer_id, customer_id=customer_id, at=AT + HOUR)


@pytest.mark.parametrize("purpose", NEEDED)
def test_between_two_chunks_of_a_run(database: str, purpose: Purpose, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "CHUNK", 1)
    with connect(database) as running, connect(database) as beside:
        households = [make_household(running, f"A-{number}") for number in range(3)]
        late: list[CustomerId] = []

        def say_no(done: int, of: int) -> None:
            """After the first chunk: whoever is not decided yet says no, on a connection of their own."""
            if not late:
                late.extend(each for each in households if not offers_of(beside, each))
                for each in late:
                    withdraw(beside, each, purpose, AT)

        run_job(running, AT, on_progress=say_no)
        assert len(late) == 2
        assert [offers_of(running, each) for each in late] == [[], []]
        assert sum(len(offers_of(running, each)) for each in households) > 0


def test_a_no_waits_for_who_decides_at_this_moment_and_takes_back_what_they_offered(database: str) -> None:
    with connect(database) as deciding, connect(database) as saying:
        customer_id = make_household(deciding, "A-1")

        def say_no() -> None:
            telling = Telling(f"customer:{customer_id}", "app", {})
            say_consent(saying, customer_id, Purpose.PERSONALISATION, given=False, telling=telling, at=AT)

        with deciding.transaction():
            run_job(deciding, AT)
            waiting = in_thread(say_no)
            wait_until_blocked(deciding, saying)
        waiting.join()
        assert {offer.state for offer in offers_of(deciding, customer_id)} == {OfferState.WITHDRAWN}


def in_thread(act: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def wait_until_blocked(conn: WriteConnection, by: WriteConnection) -> None:
    """Until the other connection waits for a lock that this one holds."""
    pid = by.info.backend_pid
    while conn.execute("select cardinality(pg_blocking_pids(%s))", [pid]).fetchone() == (0,):
        pass
