"""The interests that we concluded of a customer, as they are shown to them."""

from datetime import datetime

from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import CustomerId

_Q = load_queries("api.reads")


def select_interests(conn: ReadConnection, customer_id: CustomerId, *, at: datetime) -> list[str]:
    """Categories that the customer is thought to want, most likely first; nothing of who does not agree to that."""
    return [category for (category,) in conn.execute(_Q["select_interests"], {"customer_id": customer_id, "at": at})]
