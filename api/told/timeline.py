"""A person's time line, as people are told."""

from datetime import datetime
from typing import Any

from api.models import Out
from dam.person.timeline import Kind


class MomentOut(Out):
    """One thing that a person did or that was done for them.

    `what` is the event's name, or what happened to an order, offer, consent, device; `about` is the product, serial,
    purpose, staff member or store that it is about.
    """

    at: datetime
    kind: Kind
    what: str
    channel: str | None
    about: str | None
    facts: dict[str, Any]
