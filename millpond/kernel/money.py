"""Money is a whole number of minor units and a currency. One rounding rule, in one function."""

from dataclasses import dataclass

from millpond.kernel.errors import InvalidInput


def round_half_away(numerator: int, denominator: int) -> int:
    """`numerator / denominator` to the nearest whole number, halves away from zero. `denominator` > 0."""
    quotient, remainder = divmod(abs(numerator), denominator)
    rounded = quotient + (2 * remainder >= denominator)
    return rounded if numerator >= 0 else -rounded


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents, won) of one ISO 4217 currency. Mixing currencies raises InvalidInput."""

    amount_minor: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount_minor + self._same_currency(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount_minor - self._same_currency(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount_minor, self.currency)

    def times(self, count: int) -> "Money":
        """The same amount `count` times."""
        return Money(self.amount_minor * count, self.currency)

    def share(self, rate_bp: int) -> "Money":
        """`rate_bp` basis points of it (10,000 is all), rounded half away from zero."""
        return Money(round_half_away(self.amount_minor * rate_bp, 10_000), self.currency)

    def _same_currency(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise InvalidInput(f"{other.currency} cannot be combined with {self.currency}")
        return other.amount_minor
