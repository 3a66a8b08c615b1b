"""Customers, as the other packages see them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from millpond.kernel.ids import CustomerId


class Namespace(StrEnum):
    """In which list of names a key stands.

    `external`: the brand's own systems call the customer so; it is what they sign in with, and an event's `userId`.
    `anonymous`: a browser or an app before anybody signed in. Keys of `email` and `phone` are HMACs, never the value.
    """

    EXTERNAL = "external"
    ANONYMOUS = "anonymous"
    CARD = "card"
    EMAIL = "email"
    PHONE = "phone"
    MESSENGER = "messenger"
    DEVICE = "device"


class Purpose(StrEnum):
    """For what we may use what we know of a customer. The table `purpose` has the versions of each, and its words."""

    SERVICE = "service"
    PERSONALISATION = "personalisation"
    DEVICE_PROFILING = "device_profiling"
    MARKETING_APP = "marketing_app"
    MARKETING_EMAIL = "marketing_email"
    MARKETING_SMS = "marketing_sms"
    MARKETING_MESSENGER = "marketing_messenger"
    MARKETING_NIGHT = "marketing_night"
    STAFF_CONTACT = "staff_contact"
    LOCATION = "location"
    RESEARCH = "research"


class Basis(StrEnum):
    """Why we may: on consent a purpose holds once it is given, on any other basis until it is withdrawn."""

    CONTRACT = "contract"
    LEGITIMATE_INTEREST = "legitimate_interest"
    CONSENT = "consent"


class Medium(StrEnum):
    """By which way an offer is told to a customer who is not looking at a page of ours."""

    PUSH = "push"
    EMAIL = "email"
    SMS = "sms"
    MESSENGER = "messenger"
    STAFF = "staff"


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
