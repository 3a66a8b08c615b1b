"""Languages: which one somebody reads, and how names, money and last days are written in it."""

import tracemalloc
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter, ValidationError

from millpond.kernel.language import LANGUAGES, Names, choose_language, format_money, last_day_before, name_in
from millpond.kernel.money import Money


@pytest.mark.parametrize(
    ("wishes", "chosen"),
    [(["ko-KR"], "ko"), (["zh_Hant_TW"], "zh"), ([None, "", "de", " KO "], "ko"), (["kok", "enm"], "en"), ([], "en")],
)
def test_the_first_wish_that_we_speak_is_taken_and_else_english(wishes: list[str | None], chosen: str) -> None:
    assert choose_language(*wishes) == chosen


def test_nothing_is_kept_of_what_is_wished_for() -> None:
    """Anybody may send a header of 64 kB with each request, another one each time."""
    tracemalloc.start()
    for number in range(100):
        assert choose_language(*(f"x{number}y{tag}" for tag in range(1_000))) == "en"
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 100_000


def test_a_thing_without_a_name_in_a_language_is_called_by_its_english_one() -> None:
    assert [name_in({"en": "Lamp", "ko": "램프", "zh": ""}, language) for language in LANGUAGES] == [
        "Lamp",
        "램프",
        "Lamp",
    ]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [({"ko": "램프"}, r"English \(en\) is missing"), ({"en": "Lamp", "xx": "?"}, "'xx' is none of")],
)
def test_names_are_in_our_languages_and_always_in_english(names: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        TypeAdapter(Names).validate_python(names)


@pytest.mark.parametrize(
    ("money", "language", "text"),
    [
        (Money(45_000, "KRW"), "ko", "₩45,000"),
        (Money(12_345_678_901_234_567, "EUR"), "en", "€123,456,789,012,345.67"),
        (Money(5, "EUR"), "en", "€0.05"),
        (Money(-5, "EUR"), "en", "-€0.05"),
        (Money(12_345, "RSD"), "en", "RSD123.45"),
        (Money(1_234_567, "IQD"), "en", "IQD1,234.567"),
        (Money(1_234_567, "KWD"), "zh", "KWD1,234.567"),
        (Money(1_234_567, "UGX"), "ko", "UGX1,234,567"),
        (Money(100, "LBP"), "en", "LBP1.00"),
        (Money(100, "DEM"), "en", "DEM1.00"),
    ],
)
def test_money_has_as_many_decimals_as_its_currency(money: Money, language: str, text: str) -> None:
    assert format_money(money, language) == text


@pytest.mark.parametrize(("zone", "day"), [("Asia/Seoul", 20), ("UTC", 20), ("Pacific/Auckland", 21)])
def test_what_ends_at_midnight_holds_all_the_day_before(zone: str, day: int) -> None:
    midnight_in_seoul = datetime(2026, 2, 20, 15, tzinfo=UTC)
    assert last_day_before(midnight_in_seoul, ZoneInfo(zone)) == date(2026, 2, day)
