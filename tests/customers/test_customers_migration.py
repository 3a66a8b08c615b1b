"""A database from before there were identifiers keeps its customers' keys."""

from customers.accounts import select_customer_by_key, select_customers
from millpond.kernel.migrate import migrate
from tests.old_database import OLD_AT, old_database

CUSTOMER = "insert into customer (customer_id, external_key, name, created_at) values (%s, %s, %s, %s)"


def test_an_old_databases_keys_lead_to_the_same_customers(server_dsn: str) -> None:
    with old_database(server_dsn, "0100_") as conn:
        conn.execute(CUSTOMER, ["cus_1", "CRM-7", "Ann", OLD_AT])
        conn.execute(CUSTOMER, ["cus_2", None, "Ben", OLD_AT])
        conn.execute(CUSTOMER, ["cus_3", "cus_1", "Eve", OLD_AT])
        migrate(conn, at=OLD_AT)
        found = select_customers(conn)
        assert [(each.customer_id, each.external_key, each.name, each.created_at) for each in found] == [
            ("cus_1", "CRM-7", "Ann", OLD_AT),
            ("cus_2", None, "Ben", OLD_AT),
            ("cus_3", "cus_1", "Eve", OLD_AT),
        ]
        assert [select_customer_by_key(conn, key) for key in ("CRM-7", "cus_1", "CRM-8")] == [found[0], found[2], None]
        rows = conn.execute(
            "select namespace, key, customer_id, valid_from, valid_until, isfinite(counts_from)"
            " from customer_identifier join identifier using (identifier_id)"
        )
        assert sorted(rows) == [
            ("external", "CRM-7", "cus_1", OLD_AT, None, False),
            ("external", "cus_1", "cus_3", OLD_AT, None, False),
        ]
