"""The source that the rules look at."""

import ast
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from millpond.kernel.db import ReadConnection

ROOT = Path(__file__).parents[2]


@cache
def project() -> dict[str, Any]:
    """What stands in pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


PRODUCT: list[str] = project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
"""The packages that are shipped."""
INSTRUMENTS = ["proof", "benchmarks"]
"""The packages that only measure: they are not shipped."""


def files(*folders: str, ending: str = ".py") -> dict[str, Path]:
    """The files of some folders by their path from the root of the repository."""
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob(f"*{ending}"))]
    return {path.relative_to(ROOT).as_posix(): path for path in found if "node_modules" not in path.parts}


@cache
def parse(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text())


def tool(name: str) -> str:
    """The path of a developer's tool beside this Python."""
    return str(Path(sys.executable).with_name(name))


def select_tables(conn: ReadConnection) -> set[str]:
    """The tables of the schema; one that is divided counts once."""
    query = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
    return {row[0] for row in conn.execute(f"{query} and not relispartition")}
