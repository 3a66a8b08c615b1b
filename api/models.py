"""What bodies and answers are made of: money, times, texts, and what all of them have in common."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

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
Region = Annotated[str, Field(max_length=80, pattern=r"^[^\x00]*$")]
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
