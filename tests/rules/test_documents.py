"""What documents say of the program is so."""

from millpond.kernel.settings import settings_table
from tests.rules.source import ROOT


def test_the_readme_shows_all_settings() -> None:
    assert settings_table() in (ROOT / "README.md").read_text()
