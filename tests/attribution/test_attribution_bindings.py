"""A scan binds a customer; the first one wins; hand-over follows the policy."""

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

from attribution.binding_nouns import Scan, ScanOutcome
from attribution.bindings import bind_customer, binding_at, refuse_transfer, transfer_binding
from attribution.people import end_employment, register_staff, void_badge
from attribution.tokens import issue_badge_token, issue_screen_token
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import Conflict, InvalidInput, NotFound
from millpond.kernel.ids import BindingId, CustomerId
from tests.people import AT, KEYS, make_customer, make_shop, scan_badge
from tests.races import race

DAY = timedelta(days=1)


def set_policy(conn: WriteConnection, take_over: str, **columns: int) -> None:
    names = ["take_over", "valid_from", *columns]
    statement = psycopg.sql.SQL("insert into binding_policy ({}) values ({})").format(
        psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, names)),
        psycopg.sql.SQL(", ").join(psycopg.sql.Placeholder() * len(names)),
    )
    conn.execute(statement, [take_over, AT - DAY, *columns.values()])


def scans(conn: WriteConnection, customer_id: str) -> list[tuple[str, str]]:
    statement = "select staff_id, outcome from scan where customer_id = %s order by scan_id"
    return conn.execute(statement, [customer_id]).fetchall()


def test_the_first_scan_binds_for_good(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    binding = scan_badge(conn, shop.customer, shop.staff)
    assert (binding.staff_id, binding.bound_from, binding.bound_until) == (shop.staff.staff_id, AT, None)
    assert binding_at(conn, shop.customer.customer_id, AT + 3650 * DAY) == binding
    assert binding_at(conn, shop.customer.customer_id, AT - timedelta(microseconds=1)) is None


def test_the_first_binding_wins_and_every_scan_is_recorded(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    first = scan_badge(conn, shop.customer, shop.staff)
    assert scan_badge(conn, shop.customer, shop.colleague, AT + DAY) == first
    assert scan_badge(conn, shop.customer, shop.staff, AT + 2 * DAY) == first
    assert scans(conn, shop.customer.customer_id) == [
        (shop.staff.staff_id, "bound"),
        (shop.colleague.staff_id, "already_bound"),
        (shop.staff.staff_id, "already_bound"),
    ]


def test_under_a_protection_period_a_later_scan_takes_over_after_it(conn: WriteConnection) -> None:
    set_policy(conn, "after_protection", protection_days=30)
    shop = make_shop(conn)
    first = scan_badge(conn, shop.customer, shop.staff)
    assert scan_badge(conn, shop.customer, shop.colleague, AT + 29 * DAY) == first
    second = scan_badge(conn, shop.customer, shop.colleague, AT + 30 * DAY)
    assert (second.staff_id, second.follows) == (shop.colleague.staff_id, first.binding_id)
    at = [binding_at(conn, shop.customer.customer_id, AT + n * DAY) for n in (29, 30)]
    assert [b.staff_id for b in at if b] == [shop.staff.staff_id, shop.colleague.staff_id]


def test_under_an_open_policy_the_last_scan_wins(conn: WriteConnection) -> None:
    set_policy(conn, "always")
    shop = make_shop(conn)
    scan_badge(conn, shop.customer, shop.staff)
    assert scan_badge(conn, shop.customer, shop.colleague, AT + DAY).staff_id == shop.colleague.staff_id


def test_a_binding_with_a_validity_ends_by_itself(conn: WriteConnection) -> None:
    set_policy(conn, "never", validity_days=90)
    shop = make_shop(conn)
    scan_badge(conn, shop.customer, shop.staff)
    assert binding_at(conn, shop.customer.customer_id, AT + 90 * DAY) is None
    assert scan_badge(conn, shop.customer, shop.colleague, AT + 90 * DAY).staff_id == shop.colleague.staff_id


def test_a_spent_code_binds_nobody_else(conn: WriteConnection) -> None:
    shop, other = make_shop(conn), make_customer(conn)
    token = issue_screen_token(KEYS, shop.staff, at=AT)
    bind_customer(conn, token=token, customer_id=shop.customer.customer_id, keys=KEYS, at=AT)
    with pytest.raises(Conflict, match="this code has already been used: ask for a fresh one"):
        bind_customer(conn, token=token, customer_id=other.customer_id, keys=KEYS, at=AT)
    assert binding_at(conn, other.customer_id, AT) is None


def test_a_customer_who_sends_the_same_code_again_gets_the_same_binding(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    token = issue_screen_token(KEYS, shop.staff, at=AT)
    answers = [
        bind_customer(conn, token=token, customer_id=shop.customer.customer_id, keys=KEYS, at=AT) for _ in range(2)
    ]
    assert answers[0].binding == answers[1].binding
    assert [a.outcome for a in answers] == [ScanOutcome.BOUND, ScanOutcome.ALREADY_BOUND]


def test_a_code_that_expired_binds_nobody(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    token = issue_screen_token(KEYS, shop.staff, at=AT)
    with pytest.raises(InvalidInput, match="expired"):
        bind_customer(conn, token=token, customer_id=shop.customer.customer_id, keys=KEYS, at=AT + DAY)
    assert scans(conn, shop.customer.customer_id) == []


def test_a_lost_badge_can_be_voided(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    renewed = void_badge(conn, shop.staff.staff_id)
    with pytest.raises(InvalidInput, match="this badge was replaced: ask for the new one"):
        scan_badge(conn, shop.customer, shop.staff)
    assert scan_badge(conn, shop.customer, renewed).staff_id == shop.staff.staff_id


def test_the_code_of_somebody_who_left_binds_nobody(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    end_employment(conn, shop.staff.staff_id, at=AT + DAY)
    with pytest.raises(InvalidInput, match="belongs to nobody who works here now"):
        scan_badge(conn, shop.customer, shop.staff, AT + DAY)
    with pytest.raises(Conflict, match="has already left"):
        end_employment(conn, shop.staff.staff_id, at=AT + 2 * DAY)


def test_nobody_is_bound_to_themselves(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    own = register_staff(conn, store_id=shop.store.store_id, name="Kim", customer_id=shop.customer.customer_id, at=AT)
    with pytest.raises(InvalidInput, match="this is your own code"):
        scan_badge(conn, shop.customer, own)
    binding = scan_badge(conn, shop.customer, shop.staff)
    with pytest.raises(InvalidInput, match="nobody can be bound to themselves"):
        transfer_binding(conn, binding.binding_id, to_staff_id=own.staff_id, at=AT)


def test_an_unknown_customer_is_not_found(conn: WriteConnection) -> None:
    token = issue_badge_token(KEYS, make_shop(conn).staff)
    with pytest.raises(NotFound, match="customer cus_nobody is not known"):
        bind_customer(conn, token=token, customer_id=CustomerId("cus_nobody"), keys=KEYS, at=AT)


def test_fifty_customers_racing_for_one_code_make_one_binding(database: str) -> None:
    with connect(database) as conn:
        shop = make_shop(conn)
        customers = [make_customer(conn) for _ in range(50)]
        token = issue_screen_token(KEYS, shop.staff, at=AT)

        def attempt(customer_id: CustomerId) -> Callable[[WriteConnection], Scan]:
            return lambda own: bind_customer(own, token=token, customer_id=customer_id, keys=KEYS, at=AT)

        answers = race(database, [attempt(c.customer_id) for c in customers])
        assert sum(isinstance(a, Scan) for a in answers) == 1
        assert sum(isinstance(a, Conflict) for a in answers) == 49
        assert conn.execute("select count(*) from binding").fetchone() == (1,)
        assert conn.execute("select count(*) from scan").fetchone() == (1,)


def test_one_customer_scanning_many_codes_at_once_is_bound_once_and_always_answered(database: str) -> None:
    with connect(database) as conn:
        shop = make_shop(conn)
        screens = [issue_screen_token(KEYS, staff, at=AT) for staff in (shop.staff, shop.colleague) * 4]
        badges = [issue_badge_token(KEYS, staff) for staff in (shop.staff, shop.colleague) * 4]
        tokens = screens + badges + screens

        def attempt(token: str) -> Callable[[WriteConnection], Scan]:
            customer_id = shop.customer.customer_id
            return lambda own: bind_customer(own, token=token, customer_id=customer_id, keys=KEYS, at=AT)

        answers = race(database, [attempt(token) for token in tokens])
        scanned = [a for a in answers if isinstance(a, Scan)]
        assert len(scanned) == len(tokens), answers
        assert len({a.binding.binding_id for a in scanned}) == 1
        assert [a.outcome for a in scanned].count(ScanOutcome.BOUND) == 1


def test_a_hand_over_takes_effect_after_a_day(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    old = scan_badge(conn, shop.customer, shop.staff)
    new = transfer_binding(conn, old.binding_id, to_staff_id=shop.colleague.staff_id, at=AT + DAY, reason="moved")
    assert (new.bound_from, new.follows, new.reason) == (AT + 2 * DAY, old.binding_id, "moved")
    moments = [AT + 2 * DAY - timedelta(microseconds=1), AT + 2 * DAY]
    staff = [b.staff_id for b in (binding_at(conn, shop.customer.customer_id, m) for m in moments) if b]
    assert staff == [shop.staff.staff_id, shop.colleague.staff_id]


def test_the_customer_may_refuse_a_hand_over_until_it_begins(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    customer_id = shop.customer.customer_id
    old = scan_badge(conn, shop.customer, shop.staff)
    new = transfer_binding(conn, old.binding_id, to_staff_id=shop.colleague.staff_id, at=AT + DAY)
    with pytest.raises(NotFound):
        refuse_transfer(conn, new.binding_id, customer_id=make_customer(conn).customer_id, at=AT + DAY)
    kept = refuse_transfer(conn, new.binding_id, customer_id=customer_id, at=AT + DAY)
    assert kept == old
    assert binding_at(conn, customer_id, AT + 10 * DAY) == old
    refused = "select refused_at from binding where customer_id = %s order by created_at"
    assert conn.execute(refused, [customer_id]).fetchall() == [(None,), (AT + DAY,)]
    again = transfer_binding(conn, old.binding_id, to_staff_id=shop.colleague.staff_id, at=AT + 2 * DAY)
    with pytest.raises(Conflict, match="can no longer be refused"):
        refuse_transfer(conn, again.binding_id, customer_id=customer_id, at=AT + 3 * DAY)


def test_at_most_two_hand_overs_in_ninety_days(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    binding = scan_badge(conn, shop.customer, shop.staff)
    for day, to in ((1, shop.colleague), (10, shop.staff)):
        binding = transfer_binding(conn, binding.binding_id, to_staff_id=to.staff_id, at=AT + day * DAY)
    with pytest.raises(Conflict, match="already handed over 2 times in the last 90 days"):
        transfer_binding(conn, binding.binding_id, to_staff_id=shop.colleague.staff_id, at=AT + 90 * DAY)
    later = transfer_binding(conn, binding.binding_id, to_staff_id=shop.colleague.staff_id, at=AT + 91 * DAY)
    assert later.staff_id == shop.colleague.staff_id


def test_one_hand_over_at_a_time_and_no_scan_overtakes_it(conn: WriteConnection) -> None:
    set_policy(conn, "always")
    shop = make_shop(conn)
    old = scan_badge(conn, shop.customer, shop.staff)
    transfer_binding(conn, old.binding_id, to_staff_id=shop.colleague.staff_id, at=AT + DAY)
    with pytest.raises(Conflict, match="already under way"):
        transfer_binding(conn, old.binding_id, to_staff_id=shop.colleague.staff_id, at=AT + DAY)
    assert scan_badge(conn, shop.customer, shop.colleague, AT + DAY).binding_id == old.binding_id


def test_customers_of_somebody_who_left_are_handed_over_within_a_year(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    old = scan_badge(conn, shop.customer, shop.staff)
    end_employment(conn, shop.staff.staff_id, at=AT + DAY)
    with pytest.raises(InvalidInput, match="does not work here now"):
        transfer_binding(conn, old.binding_id, to_staff_id=shop.staff.staff_id, at=AT + 2 * DAY)
    with pytest.raises(Conflict, match="left more than 365 days ago"):
        transfer_binding(conn, old.binding_id, to_staff_id=shop.colleague.staff_id, at=AT + 366 * DAY)
    new = transfer_binding(conn, old.binding_id, to_staff_id=shop.colleague.staff_id, at=AT + 365 * DAY)
    assert new.staff_id == shop.colleague.staff_id


def test_a_binding_that_is_over_or_unknown_cannot_be_handed_over(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    old = scan_badge(conn, shop.customer, shop.staff)
    transfer_binding(conn, old.binding_id, to_staff_id=shop.colleague.staff_id, at=AT)
    with pytest.raises(Conflict, match="not in force"):
        transfer_binding(conn, old.binding_id, to_staff_id=shop.colleague.staff_id, at=AT + 5 * DAY)
    with pytest.raises(NotFound, match="binding bnd_none is not known"):
        transfer_binding(conn, BindingId("bnd_none"), to_staff_id=shop.staff.staff_id, at=AT)


def test_the_schema_itself_refuses_two_bindings_at_once(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    scan_badge(conn, shop.customer, shop.staff)
    with pytest.raises(psycopg.errors.ExclusionViolation) as refused, conn.transaction():
        conn.execute(
            "insert into binding (binding_id, customer_id, staff_id, bound_from, source, created_at)"
            " values ('bnd_second', %s, %s, %s, 'badge', %s)",
            [shop.customer.customer_id, shop.colleague.staff_id, AT + 100 * DAY, AT],
        )
    assert refused.value.diag.constraint_name == "binding_never_overlaps"
