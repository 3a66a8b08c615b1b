"""Shops, as people are told."""

from api.models import Out


class StoreOut(Out):
    """A shop."""

    store_id: str
    name: str
    currency: str
    time_zone: str
