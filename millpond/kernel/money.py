"""Money is a whole number of minor units and a currency. One rounding rule, in one function."""

from dataclasses import dataclass
from decimal import Decimal

from millpond.kernel.errors import InvalidInput

# ISO 4217: the currencies in use, by how many decimals their minor unit has. Not CLDR's figures, which say how people
# write prices: a minor unit of the dinar of Iraq is a thousandth there too, where nobody writes one any more.
_CURRENCIES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP"
    " CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES"
    " KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK"
    " NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB"
    " TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
DECIMALS = {currency: decimals for decimals, listed in _CURRENCIES.items() for currency in listed.split()}
"""How many decimals the minor unit of each currency has: 2 for the euro (cents), 0 for the won, 3 for the dinars."""

MOST_MINOR = 10**15 - 1
"""The largest amount of one order, price or refund: JavaScript counts so far exactly, and thousands fit a bigint."""


def require_currency(currency: str) -> str:
    """The currency, or InvalidInput when no country pays with it."""
    if currency not in DECIMALS:
        raise InvalidInput(f"{currency[:20]!r} is not a currency in use: take its ISO 4217 code, like EUR or KRW")
    return currency


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

    def to_decimal(self) -> Decimal:
        """The amount in whole units, 35.91 for 3,591 euro cents. A currency no longer in use has two decimals."""
        return Decimal(self.amount_minor).scaleb(-DECIMALS.get(self.currency, 2))

    @classmethod
    def from_decimal(cls, amount: Decimal | int, currency: str) -> "Money":
        """The other way round. Raises InvalidInput for parts of a minor unit, and for more than `MOST_MINOR`."""
        minor = Decimal(amount).scaleb(DECIMALS[require_currency(currency)])
        if not minor.is_finite() or abs(minor) > MOST_MINOR:
            raise InvalidInput(f"an amount is at most {MOST_MINOR:,} minor units")
        if minor != int(minor):
            raise InvalidInput(
                f"{amount} {currency} is no whole number of minor units: {currency} has {DECIMALS[currency]} decimals"
            )
        return cls(int(minor), currency)

    def _same_currency(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise InvalidInput(f"{other.currency} cannot be combined with {self.currency}")
        return other.amount_minor
