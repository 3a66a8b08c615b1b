"""What documents say of the program is so."""

import re
from importlib import import_module
from itertools import takewhile
from typing import Any

import pytest
import typer
import yaml

from millpond import cli
from millpond.kernel.settings import settings_table
from tests.rules.source import INSTRUMENTS, PRODUCT, ROOT

FOR_WRITERS = ["CONTRIBUTING.md", "docs/glossary.md"]
PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md")))]
CODE = {page: re.findall(r"`([^`\n]+)`", (ROOT / page).read_text()) for page in PAGES}
FOLDERS = [*PRODUCT, *INSTRUMENTS, "docker", "docs", "examples", "scripts", "tests"]
# What a recipe calls a thing that is not there yet, and topics of MQTT.
TO_COME = re.compile(r"thing|0123_|/v1/")


def test_the_readme_shows_all_settings() -> None:
    assert settings_table() in (ROOT / "README.md").read_text()


def test_the_readme_leads_to_the_pages_for_those_who_write() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [page for page in FOR_WRITERS if f"]({page})" not in readme] == []


@pytest.mark.parametrize("page", PAGES)
def test_files_and_scripts_that_a_page_names_are_there(page: str) -> None:
    words = {word.partition("::")[0] for text in CODE[page] for word in text.split()}
    named = {text for text in words if re.match(rf"({'|'.join(FOLDERS)})/", text) and not TO_COME.search(text)}
    links = set(re.findall(r"\]\(([\w./-]+)\)", (ROOT / page).read_text()))
    missing = [path for path in named if not (ROOT / path).exists()]
    missing += [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_functions_that_a_page_names_are_there(page: str) -> None:
    dotted = re.compile(rf"(?:kernel|{'|'.join(PRODUCT)})(?:\.\w+)+\.(\w+)")
    functions = [text for text in CODE[page] if dotted.fullmatch(text)]
    missing = []
    for function in functions:
        module, name = re.sub(r"^kernel\.", "millpond.kernel.", function).rsplit(".", 1)
        if not hasattr(import_module(module), name):
            missing.append(function)
    assert missing == []


def test_commands_that_a_page_names_are_there() -> None:
    cli.register_commands()
    texts = {text for page in PAGES for text in CODE[page] if text.startswith("millpond ")}
    assert len(texts) > 20
    assert [text for text in texts if not is_command(text)] == []


def is_command(text: str) -> bool:
    """Whether the words after `millpond`, up to the first that is no word, lead to a command."""
    place: Any = typer.main.get_command(cli.app)
    for word in takewhile(re.compile("[a-z][a-z-]*").fullmatch, text.split()[1:]):
        if not hasattr(place, "commands"):
            return True
        if word not in place.commands:
            return False
        place = place.commands[word]
    return True


def test_a_hook_before_a_commit_runs_what_the_check_runs() -> None:
    [repo] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repo["repo"] == "local"
    hooks = {re.sub(r" --\w.*", "", hook["entry"]) for hook in repo["hooks"]}
    checks = re.findall(r'^say ".*"; (\S+(?: [a-z]+)?)', (ROOT / "scripts" / "check").read_text(), re.MULTILINE)
    assert hooks == set(checks)


def test_every_package_says_that_it_has_types() -> None:
    assert [package for package in PRODUCT if not (ROOT / package / "py.typed").exists()] == []


def test_the_image_is_built_of_every_package() -> None:
    copied = re.findall(r"^COPY (\w+) (\w+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert sorted(copied) == sorted((package, package) for package in PRODUCT)
