"""Customers, as people are told."""

from datetime import datetime
from typing import Any

from pydantic import Field

from api.models import Out


class CustomerOut(Out):
    """A customer's account."""

    customer_id: str
    external_key: str | None
    name: str
    locale: str
    time_zone: str
    created_at: datetime


class ExportOut(Out):
    """All that is known of a person. A part has a row for each thing, oldest first."""

    form: str = Field(description="`millpond-person-1`; another number when parts change their meaning.")
    made_at: datetime
    customer_ids: list[str] = Field(description="All ids under which they are known.")
    parts: dict[str, list[dict[str, Any]]]


class ErasureOut(Out):
    """A person was erased: how many rows of which table went or keep nothing of them."""

    erasure_id: str
    customer_ids: list[str]
    requested_at: datetime
    finished_at: datetime
    removed: dict[str, int] = Field(validation_alias="report")
