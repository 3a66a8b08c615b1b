"""The dam's report against what was really put in."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from customers.identifiers import add_identifier
from customers.nouns import Namespace
from dam.report.days import count_days
from dam.report.leaks import find_leaks
from dam.report.nouns import DamReport, Flow, Leak, LeakCode, Share, SourceHealth
from dam.report.report import read_report
from dam.report.speech import say_lost, say_stop
from dam.retention import dam_endings
from events.figures import count_taken
from events.nouns import Refused, SourceKind, Stored, Taken
from events.sources import register_source
from events.store import store_events
from millpond.kernel.db import WriteConnection
from millpond.kernel.language import LANGUAGES
from millpond.kernel.retention import count_old_rows, end_old_rows
from millpond.kernel.settings import Settings
from tests.dam.flows import DAY, END, make_dam, make_event
from tests.household import make_device
from tests.people import AT as BEGIN
from tests.people import make_customer, merge

WINDOW = 30 * DAY


def read(conn: WriteConnection, at: datetime = END) -> DamReport:
    return read_report(conn, at, window=WINDOW)


def places(report: DamReport, flow: Flow) -> dict[str, tuple[int, int]]:
    return {share.place or share.channel: (share.total, share.known) for share in report.of(flow)}


def test_what_is_tied_to_a_known_customer_is_what_was_put_in_for_one(conn: WriteConnection) -> None:
    truth = make_dam(conn).truth
    report = read(conn)
    assert places(report, Flow.EVENTS) == {place: (truth.events[place], truth.known[place]) for place in truth.events}
    assert places(report, Flow.ORDERS) == {
        shop: (truth.orders[shop], truth.known_orders[shop]) for shop in truth.orders
    }
    assert sum(day.known + day.lost for day in report.days) == truth.events.total()
    assert sum(day.known for day in report.days) == truth.known.total()
    assert len(report.days) in (10, 11)


def test_faults_of_a_source_are_counted(conn: WriteConnection) -> None:
    truth = make_dam(conn).truth
    site, tills = read(conn).sources
    assert (site.source, site.late, site.incomplete) == ("Site", truth.late["Site"], truth.incomplete["Site"])
    assert (tills.source, tills.orders, tills.orders_again) == ("Tills", 200, truth.again["Tills"])
    assert (tills.late, tills.incomplete) == (0, 0)
    assert site.newest_at is not None
    assert END - DAY < site.newest_at <= END


def test_the_largest_leak_is_said_with_its_figures_and_what_would_stop_it(conn: WriteConnection) -> None:
    truth = make_dam(conn).truth
    leaks = read(conn).leaks
    lost = truth.orders["Harbour"] - truth.known_orders["Harbour"]
    assert leaks[0].code is LeakCode.TILL_ORDERS
    expected = f"{lost}% of the orders in Harbour belong to nobody we know: {lost} of 100."
    assert say_lost(leaks[0], "en") == expected
    assert "claim code" in say_stop(leaks[0], "en")
    assert [leak.place for leak in leaks if leak.code is LeakCode.TILL_ORDERS] == ["Harbour"], "Market leaks nothing"
    strangers = next(leak for leak in leaks if leak.code is LeakCode.STRANGERS and leak.place == "Site")
    assert strangers.lost == truth.events["Site"] - truth.known["Site"]
    assert {leak.code for leak in leaks} >= {LeakCode.NAMELESS, LeakCode.LATE, LeakCode.INCOMPLETE, LeakCode.TWICE}


def test_a_sign_in_ties_what_the_visitor_did_before_from_the_moment_it_was_said(conn: WriteConnection) -> None:
    dam = make_dam(conn)
    before = read(conn).total(Flow.EVENTS).known
    rows = conn.execute(
        "select count(*) from event e join identifier i on i.identifier_id = e.subject_id where i.key = 'visitor-7'"
    ).fetchone()
    assert rows is not None
    assert rows[0] > 0
    add_identifier(conn, dam.customers[0].customer_id, Namespace.ANONYMOUS, "visitor-7", at=END + DAY)
    assert read(conn).total(Flow.EVENTS).known == before, "as of then it was not known"
    assert read(conn, END + DAY).total(Flow.EVENTS).known == before + rows[0]


def test_a_merge_changes_no_figure(conn: WriteConnection) -> None:
    dam = make_dam(conn)
    before = read(conn)
    merge(conn, dam.customers[1], into=dam.customers[0])
    assert read(conn) == before


def test_what_came_after_the_moment_or_before_the_window_is_not_in_it(conn: WriteConnection) -> None:
    dam = make_dam(conn)
    before = read(conn)
    later = make_event("later", "Product Viewed", END - DAY, login="login-0", visitor=None)
    earlier = make_event("earlier", "Product Viewed", BEGIN - 40 * DAY, login="login-0", visitor=None)
    store_events(conn, dam.site, [later], at=END + timedelta(seconds=1))
    store_events(conn, dam.site, [earlier], at=END - WINDOW - DAY)
    assert read(conn) == before


def test_devices_of_nobody_leak_and_conversations_are_not_told_of(conn: WriteConnection) -> None:
    owner = make_customer(conn)
    make_device(conn, "MINE", "generic-purifier-pct", owner.customer_id, BEGIN)
    make_device(conn, "LOST", "generic-purifier-pct", None, BEGIN)
    make_device(conn, "LATER", "generic-purifier-pct", None, END + DAY)
    report = read(conn)
    assert places(report, Flow.DEVICES) == {"generic-purifier-pct": (2, 1)}
    assert report.untold() == [Flow.ORDERS, Flow.EVENTS, Flow.CONVERSATIONS]
    assert [(leak.code, leak.lost, leak.total) for leak in report.leaks] == [(LeakCode.DEVICES, 1, 2)]


def test_a_source_that_went_silent_is_a_leak(conn: WriteConnection) -> None:
    dam = make_dam(conn)
    register_source(conn, name="Kiosk", kind=SourceKind.STORE, at=BEGIN)
    assert [leak.place for leak in read(conn).leaks if leak.code is LeakCode.SILENT] == ["Kiosk"]
    two_days_on = read(conn, END + 2 * DAY)
    assert {leak.place for leak in two_days_on.leaks if leak.code is LeakCode.SILENT} == {"Kiosk", "Site", "Tills"}
    store_events(conn, dam.site, [make_event("m", "Page", END, login=None, visitor="v")], at=END + 2 * DAY)
    heard = read(conn, END + 2 * DAY)
    assert {leak.place for leak in heard.leaks if leak.code is LeakCode.SILENT} == {"Kiosk", "Tills"}


def test_an_empty_dam_says_that_nothing_comes_in(conn: WriteConnection) -> None:
    report = read(conn)
    assert report.untold() == list(Flow)
    assert (report.leaks, report.days, report.sources) == ([], [], [])


def test_less_than_one_in_a_hundred_is_no_leak() -> None:
    healthy = SourceHealth(
        "Site", "web", 1000, END, late=9, incomplete=10, orders=10, orders_again=0, repeated=500, set_aside=10
    )
    shares = [Share(Flow.ORDERS, "web", "", 1000, 991), Share(Flow.ORDERS, "app", "", 1000, 990)]
    leaks = find_leaks(shares, [healthy], [], END)
    assert [(leak.code, leak.channel, leak.lost) for leak in leaks] == [
        (LeakCode.GUEST_ORDERS, "app", 10),
        (LeakCode.INCOMPLETE, "web", 10),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_leak_has_its_words_in_every_language(language: str) -> None:
    leaks = [Leak(code, "web", "Site", 1234, 5000) for code in LeakCode]
    said = {say_lost(leak, language) for leak in leaks}
    assert len(said) == len(LeakCode)
    assert not any("{" in sentence for sentence in said)
    assert len({say_stop(leak, language) for leak in leaks}) == len(LeakCode)


def test_days_that_a_job_counted_say_what_the_events_say(conn: WriteConnection) -> None:
    make_dam(conn)
    live = read(conn)
    assert count_days(conn, END) == 30
    conn.execute("delete from event where received_at < %s and name <> 'Order Completed'", [END - DAY])
    assert read(conn) == live, "the counts were read, not the events"


def test_a_count_is_renewed_and_never_serves_a_moment_before_it(conn: WriteConnection) -> None:
    dam = make_dam(conn)
    count_days(conn, END)
    live = read(conn)
    add_identifier(conn, dam.customers[0].customer_id, Namespace.ANONYMOUS, "visitor-7", at=END + DAY)
    count_days(conn, END + DAY)
    assert read(conn, END + DAY).total(Flow.EVENTS).known > live.total(Flow.EVENTS).known
    assert read(conn) == live


def test_counts_go_with_their_events(conn: WriteConnection) -> None:
    make_dam(conn)
    count_days(conn, END)
    settings = Settings(event_keep_days=5)
    [ending] = dam_endings(settings)
    assert count_old_rows(conn, ending, END) == 25 * 2
    assert end_old_rows(conn, ending, END) == 25 * 2
    assert conn.execute("select min(day) from dam_day").fetchall() == [((END - 5 * DAY).date(),)]


def test_calls_that_came_again_or_could_not_be_taken_are_counted_within_the_window(conn: WriteConnection) -> None:
    dam = make_dam(conn)
    refused = Refused("no_name", "a track call has an event", b"{}")
    for at in (END - DAY, END - WINDOW - 2 * DAY, END + DAY):
        count_taken(conn, dam.till, Taken(Stored((), 3), (refused,) * 40), at=at)
    report = read(conn)
    assert [(source.repeated, source.set_aside) for source in report.sources] == [(0, 0), (3, 40)]
    [leak] = [leak for leak in report.leaks if leak.code is LeakCode.SET_ASIDE]
    assert (leak.place, leak.lost, leak.total) == ("Tills", 40, dam.truth.events["Tills"] + 40)


def test_an_order_that_is_in_the_books_is_not_lost_because_a_browser_tells_of_it_too(conn: WriteConnection) -> None:
    dam = make_dam(conn)
    before = places(read(conn), Flow.ORDERS)
    row = conn.execute("select order_id from customer_order limit 1").fetchone()
    assert row is not None
    guest = make_event("guest", "Order Completed", END - DAY, login=None, visitor="a-guest")
    store_events(conn, dam.site, [replace(guest, properties=f'{{"order_id": "{row[0]}"}}')], at=END - DAY)
    assert places(read(conn), Flow.ORDERS) == before
    store_events(conn, dam.site, [replace(guest, message_id="other", properties='{"order_id": "x"}')], at=END - DAY)
    assert places(read(conn), Flow.ORDERS) == before | {"web": (1, 0)}
