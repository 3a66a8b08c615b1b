"""In which language a page speaks, and that every language says everything."""

from html import unescape
from string import Formatter

import pytest

from api.web.words import accepted_languages, load_words
from millpond.kernel.language import LANGUAGES, choose_language
from tests.api.world import World, make_offer


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_customers_page_speaks_three_languages(world: World, language: str) -> None:
    make_offer(world)
    words = load_words(language)
    page = unescape(world.browser("customer", world.ann.customer_id).get(f"/me?lang={language}").text)
    assert f'<html lang="{language}" data-zone="Europe/Berlin">' in page
    for key in ("offers", "devices", "orders", "binding", "decline", "no_orders"):
        assert words[key] in page
    assert words["accept"].split("{")[0] in page


def test_every_language_has_every_text_with_the_same_places() -> None:
    def places(text: str) -> set[str | None]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    english = {key: places(text) for key, text in load_words("en").items()}
    for language in LANGUAGES:
        assert {key: places(text) for key, text in load_words(language).items()} == english


@pytest.mark.parametrize(
    ("asked", "own", "accepted", "chosen"),
    [
        ("zh", "ko", "en", "zh"),
        (None, "ko-KR", "zh", "ko"),
        (None, "de", "fr, zh-TW;q=0.8", "zh"),
        ("xx", None, "", "en"),
    ],
)
def test_the_language_is_asked_for_or_ones_own_or_the_browsers(
    asked: str | None, own: str | None, accepted: str, chosen: str
) -> None:
    assert choose_language(asked, own, *accepted_languages(accepted)) == chosen


def test_ben_reads_korean_because_he_is_korean(still_world: World) -> None:
    assert (
        '<html lang="ko" data-zone="Asia/Seoul">'
        in still_world.browser("customer", still_world.ben.customer_id).get("/me").text
    )
