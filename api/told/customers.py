"""Customers, as people are told."""

from datetime import datetime

from api.models import Out


class CustomerOut(Out):
    """A customer's account."""

    customer_id: str
    external_key: str | None
    name: str
    locale: str
    time_zone: str
    created_at: datetime
