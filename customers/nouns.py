"""Customers, as the other packages see them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from millpond.kernel.ids import CustomerId


class Namespace(StrEnum):
    """In which list of names a key stands. `external`: the brand's own systems call the customer so."""

    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Customer:
    """A household's account. `locale` is a language tag (`ko`, `en-GB`), `time_zone` an IANA name.

    `external_key` is the brand's own key for them, the oldest in force; None when there is none.
    """

    customer_id: CustomerId
    external_key: str | None
    name: str
    locale: str
    time_zone: str
    created_at: datetime
