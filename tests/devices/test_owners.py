"""Who owns a device: periods that never overlap, a column that agrees with them, and an existing database."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from customers.accounts import register_customer
from devices.nouns import Device
from devices.owners import ClaimKind, find_claim_kind, issue_claim_code, lock_device, select_owners, set_owner
from devices.registry import register_device
from devices.store import select_device
from millpond.kernel import migrate as migrations
from millpond.kernel.db import WriteConnection, connect
from tests.kernel.test_migrate import empty_database

__all__ = ["empty_database"]
AT = datetime(2026, 2, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def make_owned(conn: WriteConnection) -> Device:
    owner = register_customer(conn, name="Ann", at=AT)
    return register_device(
        conn, serial="A", model="reed-tv-55", customer_id=owner.customer_id, installed_at=AT, at=AT + HOUR
    )


def test_an_owner_named_at_registration_has_had_it_since_it_was_installed(conn: WriteConnection) -> None:
    device = make_owned(conn)
    (owner,) = select_owners(conn, device.device_id)
    assert (owner.customer_id, owner.owned_from, owner.owned_until) == (device.customer_id, AT, None)


def test_a_change_that_waited_for_another_begins_when_that_ended(conn: WriteConnection) -> None:
    """Its moment was read before it waited: the period that was ended meanwhile ends after it."""
    device = make_owned(conn)
    ben = register_customer(conn, name="Ben", at=AT)
    released = set_owner(conn, device, None, at=AT + 2 * HOUR, granted_by="operator:o")
    set_owner(conn, released, ben.customer_id, at=AT + HOUR, granted_by="operator:o")
    first, second = select_owners(conn, device.device_id)
    assert first.owned_until == second.owned_from == AT + 2 * HOUR


def test_the_schema_refuses_two_owners_at_one_time(conn: WriteConnection) -> None:
    device = make_owned(conn)
    ben = register_customer(conn, name="Ben", at=AT)
    with pytest.raises(psycopg.errors.ExclusionViolation, match="device_has_one_owner_at_a_time"):
        conn.execute(
            "insert into device_owner (device_id, customer_id, owned_from, owned_until, granted_by)"
            " values (%s, %s, %s, %s, 'x')",
            [device.device_id, ben.customer_id, AT, AT + HOUR],
        )


@pytest.mark.parametrize(
    "statement",
    ["update device set customer_id = null", "update device_owner set owned_until = now()", "insert into device_owner"],
)
def test_the_schema_refuses_an_owner_of_now_who_is_in_no_period(database: str, statement: str) -> None:
    with connect(database) as conn:
        device = make_owned(conn)
        if statement.startswith("insert"):
            free = register_device(conn, serial="B", model="reed-tv-55", installed_at=AT, at=AT)
            statement += (
                f" (device_id, customer_id, owned_from, granted_by)"
                f" select {free.device_id}, '{device.customer_id}', now(), 'x'"
            )
        with pytest.raises(psycopg.errors.IntegrityError, match="name different owners"):
            conn.execute(statement)


def test_a_code_is_read_as_people_write_it(conn: WriteConnection) -> None:
    device = make_owned(conn)
    code = issue_claim_code(conn, device, ClaimKind.LABEL, at=AT, issued_by="operator:o")
    written = code.lower().replace("0", "o").replace("1", "l").replace("-", "")
    assert find_claim_kind(conn, "A", written, at=AT) is ClaimKind.LABEL
    assert find_claim_kind(conn, "B", code, at=AT) is None


def test_locking_an_unknown_device_finds_nothing(conn: WriteConnection) -> None:
    assert lock_device(conn, "NOPE") is None


def test_an_existing_database_brings_its_owners_along(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = migrations.load_migrations(timescale=False)
    before = [m for m in everything if m.name < "0050"]
    with connect(empty_database) as conn:
        monkeypatch.setattr(migrations, "load_migrations", lambda timescale: before)
        monkeypatch.setattr(migrations, "ensure_timescale", lambda conn, required: False)
        migrations.migrate(conn, at=AT)
        conn.execute("insert into device_model values ('tv', '{}', 'tv', null)")
        conn.execute("insert into customer (customer_id, name, created_at) values ('cus_ann', 'Ann', %s)", [AT])
        conn.execute(
            "insert into device (serial, model, customer_id, installed_at, registered_at)"
            " values ('A', 'tv', %s, %s, %s), ('B', 'tv', null, %s, %s)",
            ["cus_ann", AT, AT + HOUR, AT, AT],
        )
        monkeypatch.setattr(migrations, "load_migrations", lambda timescale: everything)
        migrations.migrate(conn, at=AT + HOUR)
        owned, free = select_device(conn, "A"), select_device(conn, "B")
        assert owned is not None
        assert free is not None
        assert [(o.customer_id, o.owned_from) for o in select_owners(conn, owned.device_id)] == [("cus_ann", AT)]
        assert select_owners(conn, free.device_id) == []
