"""docker-compose.yml where no Docker is: it names what exists, and what it runs in a row does run in a row."""

import itertools
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from devices.store import select_devices
from millpond import cli
from millpond.kernel.db import connect
from millpond.kernel.settings import Settings
from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def our_commands(name: str) -> list[list[str]]:
    """What a service of ours runs, and what looks at its health: lists of words after `millpond`."""
    service = SERVICES[name]
    words = [str(word) for word in service["command"]]
    runs = [shlex.split(line)[1:] for line in words[0].splitlines()] if "entrypoint" in service else [words]
    test = service.get("healthcheck", {}).get("test", [])
    return [*runs, test[2:]] if test[1:2] == ["millpond"] else runs


OURS = [name for name, service in SERVICES.items() if service.get("image") == "millpond:local"]


def options(words: list[str]) -> dict[str, str]:
    """`--name value` pairs."""
    return {name: value for name, value in itertools.pairwise(words) if name.startswith("--")}


def test_what_a_service_waits_for_exists_and_can_be_waited_for() -> None:
    for name, service in SERVICES.items():
        for other, wait in service.get("depends_on", {}).items():
            assert other in SERVICES, f"{name} waits for {other}"
            if wait["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other]
            if wait["condition"] == "service_completed_successfully":
                assert SERVICES[other]["restart"] == "no"


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_commands_and_options_that_exist(name: str) -> None:
    cli.register_commands()
    for line in our_commands(name):
        words = line
        command: Any = typer.main.get_command(cli.app)
        while words and words[0] in getattr(command, "commands", {}):
            command, words = command.commands[words[0]], words[1:]
        assert not getattr(command, "commands", {}), f"{name} runs no command"
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("name", OURS)
def test_a_service_sets_only_settings_that_exist(name: str) -> None:
    known = {f"MILLPOND_{field.upper()}" for field in Settings.model_fields}
    assert set(SERVICES[name]["environment"]) <= known


def test_the_registered_fleet_is_the_one_that_publishes() -> None:
    registered, published = options(our_commands("register")[0]), options(our_commands("simulators")[0])
    assert (registered["--devices"], registered["--seed"]) == (published["--devices"], published["--seed"])


def test_registering_the_fleet_works_and_may_be_repeated(
    database: str, broker_url: str, tmp_path: Path, millpond: Run
) -> None:
    manifest = tmp_path / "devices.csv"
    settings = {"MILLPOND_DATABASE_URL": database, "MILLPOND_BROKER_URL": broker_url}
    for expected in ("devices registered: 60; there already: 0", "devices registered: 0; there already: 60"):
        for words in our_commands("register"):
            done = millpond(*[str(manifest) if word == "/tmp/devices.csv" else word for word in words], **settings)
            assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(expected)
    with connect(database) as conn:
        assert len(select_devices(conn, limit=100)) == 60


def test_no_secret_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert "MILLPOND_JWT_SECRET:?" in text
    assert "MILLPOND_DATABASE_PASSWORD:?" in text
    assert "MILLPOND_BROKER_PASSWORD:?" in text
