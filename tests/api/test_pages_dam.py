"""The dam's report as a call and as a page in three languages."""

from html import unescape

import pytest

from api.web.words import load_words
from millpond.kernel.language import LANGUAGES
from tests.api.world import World
from tests.dam.flows import END, make_dam

AT = {"at": END.isoformat()}


def test_an_operator_reads_the_report(world: World) -> None:
    report = world.as_operator.get("/v1/dam/report").json()
    flows = {flow["flow"]: flow for flow in report["flows"]}
    assert set(flows) == {"orders", "events", "devices", "conversations"}
    assert flows["devices"]["total"] > 0
    assert (flows["conversations"]["total"], flows["conversations"]["known_pct"]) == (0, None)
    assert "conversations" in report["untold"]


def test_leaks_are_said_in_the_language_that_is_asked_for(world: World) -> None:
    with world.connect() as conn, conn.transaction():
        make_dam(conn)
    english, korean = (
        world.as_operator.get(f"/v1/dam/report?days=90&language={language}").json()["leaks"]
        for language in ("en", "ko")
    )
    assert [leak["code"] for leak in english] == [leak["code"] for leak in korean]
    assert english[0]["sentence"] != korean[0]["sentence"]
    assert english[0]["remedy"]
    assert world.as_operator.get("/v1/dam/report?days=91").status_code == 422


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_three_languages_and_shows_charts(world: World, language: str) -> None:
    with world.connect() as conn, conn.transaction():
        make_dam(conn)
    words = load_words(language)
    page = unescape(world.browser("operator", "ops").get(f"/ops/dam?days=90&lang={language}").text)
    for key in ("dam_title", "dam_leaks", "dam_sources", "dam_conversations", "dam_untold"):
        assert words[key] in page
    assert 'data-kind="dam"' in page
    assert "Harbour" in page
