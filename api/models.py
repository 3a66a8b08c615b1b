"""What the API takes and gives, besides what belongs to one route alone: money, times, texts, and the shared nouns."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from attribution.nouns import Channel
from millpond.kernel.errors import InvalidInput
from millpond.kernel.money import MOST_MINOR, Money, require_currency
from millpond.kernel.text import find_fault

_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _to_utc(at: datetime) -> datetime:
    if not _FIRST.year <= at.year < _LAST.year:
        raise ValueError(f"a time lies between {_FIRST.year} and {_LAST.year}")
    return at.astimezone(UTC)


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("text cannot hold a NUL character")
    return text


def _readable(text: str) -> str:
    fault = find_fault(text)
    if fault is not None:
        raise ValueError(fault)
    return text


def _in_use(currency: str) -> str:
    try:
        return require_currency(currency)
    except InvalidInput as error:
        raise ValueError(str(error)) from error


Time = Annotated[AwareDatetime, AfterValidator(_to_utc), Field(description="RFC 3339 with an offset.")]
Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_readable)]
LongText = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_without_nul)]
Currency = Annotated[
    str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217, of those in use."), AfterValidator(_in_use)
]
AmountIn = Annotated[int, Field(gt=0, le=MOST_MINOR, strict=True)]


class Body(BaseModel):
    """A request body: a misspelt field is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MoneyIn(Body):
    """A positive amount in minor units of a currency."""

    amount_minor: AmountIn
    currency: Currency

    def to_money(self) -> Money:
        return Money(self.amount_minor, self.currency)


class Out(BaseModel):
    """An answer, read field by field from one of our dataclasses with `model_validate`."""

    model_config = ConfigDict(from_attributes=True)


class MoneyOut(Out):
    """An amount in minor units (cents, won) of a currency."""

    amount_minor: int
    currency: str


class CreditOut(Out):
    """The staff member and the shop that are credited."""

    staff_id: str
    name: str
    store_id: str
    store_name: str


class BindingOut(Out):
    """Who is credited for a customer, from when until when (half-open; null is for good)."""

    binding_id: str
    customer_id: str
    staff_id: str
    credit: CreditOut | None = None
    bound_from: datetime
    bound_until: datetime | None
    source: str


class OrderLineOut(Out):
    """One line of an order at the price it was sold for."""

    sku: str
    quantity: int
    unit_price: MoneyOut


class OrderOut(Out):
    """A sale in any channel; `credited_to` is the staff member whose binding was in force.

    Staff read `credited_to` and `binding_id` only where it is themselves; null says nothing to them.
    """

    order_id: str
    customer_id: str
    channel: Channel
    store_id: str | None
    sold_by: str | None
    offer_id: str | None
    binding_id: str | None
    credited_to: str | None
    amount: MoneyOut
    refunded: MoneyOut
    placed_at: datetime
    lines: list[OrderLineOut]


class RefundOut(Out):
    """Money given back, and the commission that was reversed with it."""

    refund_id: str
    order_id: str
    amount: MoneyOut
    clawed_back: MoneyOut
    refunded_at: datetime
    reason: str | None
