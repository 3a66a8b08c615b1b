"""Names show as what they are."""

import pytest

from millpond.kernel.text import find_fault

SHOWN = ["Kim", "김민아", "王小明", "علی‌رضا", "क्षत्रिय", "👨\u200d👩\u200d👧", "O'Neil-Öz (2)", " Ann ", "A\u0301"]


@pytest.mark.parametrize("name", SHOWN)
def test_a_name_of_any_script_is_a_name(name: str) -> None:
    assert find_fault(name) is None


@pytest.mark.parametrize(
    "character", "\x00\t\n\r\x1b\x7f\x85\u00ad\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2060\u2066\u2069\ufeff"
)
def test_a_character_that_nobody_sees_is_refused(character: str) -> None:
    assert (
        find_fault(f"An{character}n") == f"text cannot hold the character U+{ord(character):04X}, which nobody can see"
    )


@pytest.mark.parametrize("blank", ["", " ", "\u3000\u00a0", "\u3164", "\u200d", "\u0301", "\u2800"])
def test_a_name_that_shows_as_nothing_is_none(blank: str) -> None:
    assert find_fault(blank) == "text cannot be blank"
