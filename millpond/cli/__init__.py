"""The command line: `millpond COMMAND`, exit 0 done, 1 failed with one sentence on stderr, 2 usage."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from millpond.kernel.errors import InvalidInput, MillpondError

app = typer.Typer(
    name="millpond",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Millpond stores what connected devices say, knows when a part will be used up, makes the offer in time, and "
    "credits the staff member who earned the customer.\n\nTry it: `millpond demo`. Services are configured by "
    "`MILLPOND_*` variables.",
)


class WrongUse(InvalidInput):
    """The command was called wrongly: one sentence, exit 2."""


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"millpond {version('millpond')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """What stands before the command; the help is the app's."""


def register_commands() -> None:
    """Import the modules that hold commands; each adds its own to `app`."""
    from millpond.cli import (  # noqa: F401  # importing them is the point
        audit,
        backtest,
        broker,
        catalogue,
        consent,
        credentials,
        dam,
        decode,
        device,
        doctor,
        events,
        files,
        fleet,
        jobs,
        lobby,
        plan,
        platform,
        profiles,
        quarantine,
        retention,
        segments,
        services,
        shoppers,
        sources,
    )


def main() -> None:
    """Run a command; an error of ours becomes its one sentence."""
    import psycopg

    register_commands()
    try:
        app()
    except WrongUse as error:
        _fail(str(error), code=2)
    except MillpondError as error:
        _fail(str(error))
    except psycopg.OperationalError as error:
        _fail(f"the database does not answer: {' '.join(str(error).split())}")
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction) as error:
        _fail(f"the database refuses: {error.diag.message_primary}")


def _fail(sentence: str, code: int = 1) -> None:
    sys.stderr.write(f"millpond: {sentence}\n")
    sys.exit(code)
