"""Customers, as the other packages see them."""

from dataclasses import dataclass
from datetime import datetime

from millpond.kernel.ids import CustomerId


@dataclass(frozen=True, slots=True)
class Customer:
    """A household's account. `locale` is a language tag (`ko`, `en-GB`), `time_zone` an IANA name."""

    customer_id: CustomerId
    external_key: str | None
    name: str
    locale: str
    time_zone: str
    created_at: datetime
