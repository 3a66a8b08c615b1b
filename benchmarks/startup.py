"""How long a start takes; see `python -m benchmarks.startup --help`."""

import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from benchmarks.common import Dsn, Json, NoBroker, Result, fresh_database, run, step, tell, timed
from benchmarks.http_load import served
from millpond.kernel.errors import ConfigurationError, Unavailable


def main(
    repeats: Annotated[int, typer.Option(min=1, help="Starts of each; the median counts.")] = 5,
    dsn: Dsn = None,
    broker: NoBroker = None,
    json: Json = False,
) -> None:
    """Seconds from a cold command to its answer, against a bare Python.

    **Measured:** `help_s` is `millpond --help` from start to end; `serve_s` is `millpond serve` from its start until
    `/healthz` answers, on a database that is migrated. Files are in the page cache, as at any second start.

    **Reference:** `python -c pass`, the start of the interpreter that both pay. The ratio is of `help_s`.
    """
    millpond = Path(sys.executable).with_name("millpond")
    if not millpond.exists():
        raise ConfigurationError("there is no `millpond` beside this Python: pip install -e . first")
    with fresh_database(dsn) as own, step("starting"):
        rounds = [
            (_run(sys.executable, "-c", "pass"), _run(str(millpond), "--help"), _serve(own)) for _ in range(repeats)
        ]
    python_s, help_s, serve_s = (median(column) for column in zip(*rounds, strict=True))
    figures = {"help_s": help_s, "serve_s": serve_s, "serve_ratio": serve_s / python_s}
    tell(Result("startup", "help_s", "s", figures, python_s, "python -c pass", {"repeats": repeats}), as_json=json)


def _run(*command: str) -> float:
    done, seconds = timed(lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=False))
    if done.returncode:
        raise Unavailable(f"{' '.join(command)} ended with exit code {done.returncode}")
    return seconds


def _serve(dsn: str) -> float:
    with served(dsn) as server:
        return server.startup_s


if __name__ == "__main__":
    run(main)
