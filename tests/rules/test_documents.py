"""What documents say of the program is so."""

import re
from importlib import import_module

import pytest
import typer
import yaml

from millpond import cli
from millpond.kernel.settings import settings_table
from tests.rules.source import PRODUCT, ROOT

PAGES = ["CONTRIBUTING.md", "docs/glossary.md"]
CODE = {page: re.findall(r"`([^`\n]+)`", (ROOT / page).read_text()) for page in PAGES}


def test_the_readme_shows_all_settings() -> None:
    assert settings_table() in (ROOT / "README.md").read_text()


def test_the_readme_leads_to_the_pages_for_those_who_write() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [page for page in PAGES if f"]({page})" not in readme] == []


@pytest.mark.parametrize("page", PAGES)
def test_files_and_scripts_that_a_page_names_are_there(page: str) -> None:
    named = {
        text.split()[0] for text in CODE[page] if re.match(r"(scripts|docs|tests|millpond|api|ingest|offers)/", text)
    }
    links = set(re.findall(r"\]\(([\w./-]+)\)", (ROOT / page).read_text()))
    assert len(links) > 0 or page == "docs/glossary.md"
    missing = [path for path in named if not (ROOT / path).exists()]
    missing += [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]
    assert missing == []


def test_functions_and_commands_that_a_page_names_are_there() -> None:
    texts = [text for page in PAGES for text in CODE[page]]
    functions = [text for text in texts if re.fullmatch(r"kernel\.\w+\.\w+", text)]
    assert len(functions) >= 2
    for function in functions:
        module, name = function.rsplit(".", 1)
        assert hasattr(import_module(f"millpond.{module}"), name), function
    cli.register_commands()
    commands = vars(typer.main.get_command(cli.app))["commands"]
    assert {text.split()[1] for text in texts if text.startswith("millpond ")} <= set(commands)


def test_a_hook_before_a_commit_runs_what_the_check_runs() -> None:
    [repo] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repo["repo"] == "local"
    hooks = {re.sub(r" --\w.*", "", hook["entry"]) for hook in repo["hooks"]}
    checks = re.findall(r'^say ".*"; (\S+(?: [a-z]+)?)', (ROOT / "scripts" / "check").read_text(), re.MULTILINE)
    assert hooks == set(checks)


def test_every_package_says_that_it_has_types() -> None:
    assert [package for package in PRODUCT if not (ROOT / package / "py.typed").exists()] == []
