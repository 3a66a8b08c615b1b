"""Rules of the house that a machine can keep."""

import functools
import importlib
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from enum import Enum
from itertools import pairwise
from pathlib import Path
from types import FunctionType

import pytest

from millpond.kernel.db import WriteConnection, load_queries
from millpond.kernel.settings import settings_table

ROOT = Path(__file__).parents[2]
ROOMS = [
    "millpond",
    "customers",
    "catalogue",
    "devices",
    "ingest",
    "forecasting",
    "attribution",
    "offers",
    "api",
    "simulators",
]
PACKAGES_WITH_QUERIES = sorted(
    ".".join(path.parent.relative_to(ROOT).parts) for room in ROOMS for path in (ROOT / room).rglob("queries.sql")
)
QUERIES = [(package, name) for package in PACKAGES_WITH_QUERIES for name in load_queries(package)]
# Leases and heartbeats are shared by processes, so they are measured on the database's clock; nothing else is.
MAY_READ_THE_DATABASE_CLOCK = {
    "claim_job_run",
    "hold_job_lease",
    "select_left_period",
    "fail_job_run",
    "beat",
    "select_clock",
    "select_newest_beat",
    "select_newest_run",
    "end_heartbeats",
    "select_database_jobs",
    "watch_gaps",
    "ask_gaps",
}
SOURCES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
TEXTS = [path.read_text() for path in SOURCES]
MODULES = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in SOURCES if path.stem[:2] != "__"]


@pytest.mark.parametrize(("package", "name"), QUERIES)
def test_every_named_query_prepares(conn: WriteConnection, package: str, name: str) -> None:
    statement = load_queries(package)[name].rstrip(";").split("\n", 1)[1]
    for temporary in (q for q in load_queries(package).values() if "\ncreate temporary table" in q):
        conn.execute(temporary)
    if statement.lstrip().startswith(("call ", "create temporary table ")):
        conn.execute(statement)
        return
    if statement.lstrip().startswith("copy "):
        with conn.cursor() as cursor, cursor.copy(statement):
            return
    numbers: dict[str, int] = {}
    numbered = re.sub(r"%\((\w+)\)[sb]", lambda m: f"${numbers.setdefault(m[1], len(numbers) + 1)}", statement).replace(
        "%%", "%"
    )
    conn.execute(f"prepare house_rule as {numbered}")


@pytest.mark.parametrize(("package", "name"), QUERIES)
def test_every_named_query_has_one_sentence_and_is_used(package: str, name: str) -> None:
    comment = re.match(r"(?:-- .+\n)+", load_queries(package)[name])
    assert comment is not None, f"{package}.{name} begins without its sentence"
    assert comment[0].endswith(".\n")
    assert any(f'"{name}"' in source for source in TEXTS), f"{package}.{name} is used nowhere"


@pytest.mark.parametrize(("package", "name"), QUERIES)
def test_no_query_reads_a_clock(package: str, name: str) -> None:
    clock = r"\b(now|clock_timestamp|statement_timestamp)\(\)|\bcurrent_(timestamp|date|time)\b"
    if name not in MAY_READ_THE_DATABASE_CLOCK:
        assert not re.search(clock, load_queries(package)[name])


def test_timescale_stays_in_its_folder() -> None:
    words = re.compile(r"hypertable|time_bucket|continuous_aggregate|compress_chunk|timescaledb\.")
    statements = [path for room in ROOMS for path in (ROOT / room).rglob("*.sql")]
    files = [p for p in [*SOURCES, *statements] if "timescale" not in p.parts]
    assert len(files) > 50
    assert [p.name for p in files if words.search(p.read_text())] == []


def test_imports_keep_their_direction() -> None:
    done = subprocess.run([_tool("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_nothing_below_the_edge_reads_the_wall_clock() -> None:
    command = [_tool("ruff"), "check", "--select", "TID251,DTZ", *ROOMS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    edges = {
        "cli",
        "clock.py",
        "scheduler.py",
        "demo.py",
        "services.py",
        "edge.py",
        "session.py",
        "writer.py",
        "fleet_run.py",
        "run.py",
        "plain_run.py",
        "readiness.py",
    }
    readers = {p for p in SOURCES if re.search(r"\bclock\.now\(\)", p.read_text())}
    assert {p.name for p in readers if not edges & set(p.parts)} == set()


def test_the_readme_shows_all_settings() -> None:
    assert settings_table() in (ROOT / "README.md").read_text()


def test_no_module_keeps_an_error() -> None:
    """An error that is raised twice holds the frames of both: only what makes one may be kept."""
    modules = [importlib.import_module(name) for name in MODULES]
    kept = [
        f"{module.__name__}.{name}"
        for module in modules
        for name, value in vars(module).items()
        if not name.startswith("__") and _holds_error(value, module.__name__)
    ]
    assert len(modules) > 100
    assert kept == []


def test_an_error_is_found_wherever_a_module_keeps_it() -> None:
    error = ValueError()

    class Keeper:
        refusal = error

    def refuse(with_: Exception = error) -> None: ...

    kept = [error, {"a": [error]}, (1, {error}), functools.partial(refuse, error), Keeper, refuse]
    assert all(_holds_error(value, __name__) for value in kept)
    assert not _holds_error({"a": functools.partial(ValueError, "sentence")}, __name__)


def _holds_error(value: object, module: str) -> bool:
    if isinstance(value, BaseException):
        return True
    return any(_holds_error(part, module) for part in _parts_of(value, module))


def _parts_of(value: object, module: str) -> Iterable[object]:
    """What a value of a module keeps: items, bound arguments, defaults, and the attributes of a class made there."""
    if isinstance(value, Mapping):
        return value.values()
    if isinstance(value, list | tuple | set | frozenset):
        return value
    if isinstance(value, functools.partial):
        return (*value.args, *value.keywords.values())
    if isinstance(value, FunctionType) and value.__module__ == module:
        return (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values())
    if isinstance(value, type) and value.__module__ == module and not issubclass(value, Enum):
        return [part for name, part in vars(value).items() if not name.startswith("__")]
    return ()


def test_importing_services_does_not_import_prophet_or_pandas() -> None:
    script = (
        "import sys, api.app, ingest.service, millpond.scheduler, millpond.cli.services, millpond.cli.jobs;"
        "print([name for name in ('prophet', 'pandas', 'cmdstanpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def test_no_two_test_files_have_one_name() -> None:
    """Pytest takes the second for the first and collects neither."""
    names = sorted(path.name for path in (ROOT / "tests").rglob("test_*.py") if "node_modules" not in path.parts)
    assert len(names) > 50
    assert [name for name, after in pairwise(names) if name == after] == []
