"""The moment of what is written to a customer under their lock."""

from datetime import datetime

from customers.accounts import lock_customer
from millpond.kernel.db import WriteConnection, load_queries
from millpond.kernel.ids import CustomerId

_Q = load_queries("attribution")


def lock_customer_at(conn: WriteConnection, customer_id: CustomerId, at: datetime) -> datetime:
    """Lock as `lock_customer` does, and return the moment of what is then written: `at`, or that of the last write.

    The clock is read before the lock is waited for, and two servers' clocks differ: without this, whoever waited would
    look at the customer as they were before whoever went first. Raises NotFound.
    """
    lock_customer(conn, customer_id)
    [(last,)] = conn.execute(_Q["select_last_write"], {"customer_id": customer_id})
    return max(at, last) if last else at
