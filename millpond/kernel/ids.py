"""Public identifiers: a short prefix that says what it is, and 80 random bits."""

import secrets
from typing import NewType

CustomerId = NewType("CustomerId", str)
StaffId = NewType("StaffId", str)
StoreId = NewType("StoreId", str)
BindingId = NewType("BindingId", str)
OrderId = NewType("OrderId", str)
RefundId = NewType("RefundId", str)
EntryId = NewType("EntryId", str)
OfferId = NewType("OfferId", str)
DecisionId = NewType("DecisionId", str)
DeviceId = NewType("DeviceId", int)
MetricId = NewType("MetricId", int)
InstallationId = NewType("InstallationId", int)
Serial = NewType("Serial", str)
Sku = NewType("Sku", str)


def new_id(prefix: str) -> str:
    """For example `new_id("ord")` gives `ord_9f86d081884c7d659a2f`."""
    return f"{prefix}_{secrets.token_hex(10)}"
