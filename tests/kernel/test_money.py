"""Money: whole minor units, one currency, one rounding rule."""

from fractions import Fraction

import pytest
from babel.numbers import get_currency_precision, list_currencies
from hypothesis import given
from hypothesis import strategies as st

from millpond.kernel.errors import InvalidInput
from millpond.kernel.money import DECIMALS, Money, require_currency, round_half_away


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(5, 10, 1), (-5, 10, -1), (4, 10, 0), (15, 10, 2), (-15, 10, -2), (0, 3, 0)],
)
def test_halves_are_rounded_away_from_zero(numerator: int, denominator: int, rounded: int) -> None:
    assert round_half_away(numerator, denominator) == rounded


@given(st.integers(), st.integers(min_value=1))
def test_rounding_is_never_off_by_more_than_a_half(numerator: int, denominator: int) -> None:
    assert abs(Fraction(numerator, denominator) - round_half_away(numerator, denominator)) <= Fraction(1, 2)


@given(st.integers(-(10**12), 10**12), st.integers(0, 10_000))
def test_a_share_of_a_refund_is_the_share_of_the_sale_turned_round(amount: int, rate_bp: int) -> None:
    assert -Money(amount, "EUR").share(rate_bp) == Money(-amount, "EUR").share(rate_bp)


def test_currencies_do_not_mix() -> None:
    with pytest.raises(InvalidInput, match="KRW cannot be combined with EUR"):
        Money(1, "EUR") + Money(1, "KRW")


def test_every_currency_is_one_that_exists_and_most_have_the_decimals_people_write() -> None:
    assert set(DECIMALS) <= list_currencies()
    written_otherwise = {code for code, decimals in DECIMALS.items() if get_currency_precision(code) != decimals}
    assert {"RSD", "IQD", "ALL", "LBP"} <= written_otherwise
    assert {"EUR", "KRW", "CNY", "USD", "JPY", "BHD", "TND"} & written_otherwise == set()


@pytest.mark.parametrize("currency", ["ZZZ", "XXX", "XTS", "XAU", "eur", "", "EURO", "DEM"])
def test_a_currency_that_nobody_pays_with_is_refused(currency: str) -> None:
    with pytest.raises(InvalidInput, match="is not a currency in use"):
        require_currency(currency)


@pytest.mark.parametrize(
    ("minor", "currency", "text"), [(3_591, "EUR", "35.91"), (7, "KRW", "7"), (-5, "IQD", "-0.005")]
)
def test_an_amount_in_whole_units_has_the_decimals_of_its_minor_unit(minor: int, currency: str, text: str) -> None:
    assert str(Money(minor, currency).to_decimal()) == text
