"""Every command explains itself, a wrong use exits 2, and what goes wrong is one sentence and exit 1."""

from importlib.metadata import version
from typing import Any

import pytest
import typer

from millpond import cli
from millpond.embedded.ports import free_port
from tests.cli.conftest import SECRET, Run, assert_one_sentence


def find_commands() -> list[tuple[str, ...]]:
    """The words of every command and group, as registered by `main`."""
    cli.register_commands()
    return [(), *_below(typer.main.get_command(cli.app), ())]


def _below(command: object, words: tuple[str, ...]) -> list[tuple[str, ...]]:
    children = getattr(command, "commands", {})
    return [found for name, child in children.items() for found in [(*words, name), *_below(child, (*words, name))]]


COMMANDS = find_commands()


def test_the_commands_of_the_contract_are_there() -> None:
    promised = {
        ("demo",),
        ("migrate",),
        ("ingest",),
        ("schedule",),
        ("serve",),
        ("forecast",),
        ("offers",),
        ("backtest",),
        ("simulate",),
        ("doctor",),
        ("token",),
        ("decode",),
        ("import", "devices"),
        ("import", "readings"),
    }
    assert promised <= set(COMMANDS)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words) or "millpond")
def test_help_is_a_sentence(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    command: Any = typer.main.get_command(cli.app)
    for word in words:
        command = command.commands[word]
    first = (command.help or "").strip().split("\n\n")[0].strip()
    assert first.endswith(".")
    assert first[0].isupper()
    assert len(first.split()) >= 4
    with pytest.raises(SystemExit) as ended:
        typer.main.get_command(cli.app).main([*words, "--help"], prog_name="millpond")
    assert ended.value.code == 0
    assert first.split()[0] in capsys.readouterr().out


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words) or "millpond")
def test_every_option_says_what_it_is_for(words: tuple[str, ...]) -> None:
    command: Any = typer.main.get_command(cli.app)
    for word in words:
        command = command.commands[word]
    unexplained = [p.name for p in command.params if p.name != "help" and not getattr(p, "help", "")]
    assert unexplained == []


def test_help_of_the_real_command(millpond: Run) -> None:
    done = millpond("import", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "readings" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("import", "devices"),
        ("demo", "--devices", "0"),
        ("token", "--role", "king", "--subject", "x"),
        ("token", "--role", "customer", "--subject", ""),
        ("simulate", "--messages", "-5"),
        ("decode", "-"),
        ("doctor", "--only", "weather"),
        ("backtest", "--forecaster", "tea"),
    ],
    ids=" ".join,
)
def test_a_wrong_use_exits_2(words: tuple[str, ...], millpond: Run) -> None:
    done = millpond(*words, MILLPOND_JWT_SECRET=SECRET)
    assert done.returncode == 2
    assert "Usage: " in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


AWAY = f"127.0.0.1:{free_port()}"
NO_DATABASE = {"MILLPOND_DATABASE_URL": f"postgresql://u:hush@{AWAY}/x"}


@pytest.mark.parametrize(
    "words", [("migrate",), ("schedule",), ("forecast",), ("import", "readings", __file__)], ids=" ".join
)
def test_a_database_that_is_away_is_one_sentence(words: tuple[str, ...], millpond: Run) -> None:
    done = millpond(*words, **NO_DATABASE)
    assert_one_sentence(done, "the database does not answer")
    assert "hush" not in done.stderr


@pytest.mark.parametrize(
    ("words", "variable"),
    [
        (("serve",), "MILLPOND_JWT_SECRET"),
        (("token", "--role", "staff", "--subject", "x"), "MILLPOND_JWT_SECRET"),
        (("migrate",), "MILLPOND_DATABASE_URL"),
        (("ingest",), "MILLPOND_BROKER_URL"),
        (("simulate",), "MILLPOND_BROKER_URL"),
    ],
)
def test_a_setting_that_is_missing_is_named(words: tuple[str, ...], variable: str, millpond: Run) -> None:
    needed = {"MILLPOND_DATABASE_URL": NO_DATABASE["MILLPOND_DATABASE_URL"]} if "DATABASE" not in variable else {}
    assert_one_sentence(millpond(*words, **needed), f"{variable} is not set")


@pytest.mark.parametrize(
    ("command", "at"), [("forecast", "yesterday"), ("offers", "2026-03-01T09:00:00"), ("backtest", "2026-13-01")]
)
def test_a_moment_that_is_none_is_one_sentence_and_exits_2(command: str, at: str, database: str, millpond: Run) -> None:
    assert_one_sentence(millpond(command, "--at", at, MILLPOND_DATABASE_URL=database), "--at", code=2)


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [("--faults", "gremlins=0.1", "gremlins"), ("--devices", "0", "--devices"), ("--start", "soon", "--start 'soon'")],
)
def test_a_fleet_that_cannot_be_meant_is_one_sentence_and_exits_2(
    option: str, value: str, word: str, millpond: Run
) -> None:
    done = millpond("simulate", "--broker", f"mqtt://{AWAY}", "--messages", "1", option, value)
    assert_one_sentence(done, word, code=2)


def test_the_version_is_told(millpond: Run) -> None:
    done = millpond("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"millpond {version('millpond')}\n"


@pytest.mark.parametrize("command", ["migrate", "ingest", "simulate"])
def test_a_setting_that_is_wrong_is_one_sentence(command: str, millpond: Run) -> None:
    done = millpond(command, MILLPOND_LOG_LEVEL="loud")
    assert_one_sentence(done, "MILLPOND_LOG_LEVEL is wrong: 'loud' is none of DEBUG, INFO, WARNING, ERROR")


def test_a_broker_that_is_away_is_one_sentence(millpond: Run) -> None:
    done = millpond("simulate", "--broker", f"mqtt://u:hush@{AWAY}", "--messages", "1", "--devices", "1")
    assert_one_sentence(done, "cannot be reached")
    assert "hush" not in done.stderr


def test_a_file_without_the_columns_is_one_sentence(database: str, millpond: Run) -> None:
    done = millpond("import", "readings", __file__, MILLPOND_DATABASE_URL=database)
    assert_one_sentence(done, "has no column serial, metric, ts, value")
