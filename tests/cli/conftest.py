"""The real command in a process of its own, as an operator runs it."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

SECRET = "a secret for the tests, of more than 32 bytes"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def millpond() -> Run:
    """`millpond("import", "devices", path, MILLPOND_DATABASE_URL=…)`: only these settings, and a wide terminal."""

    def run(*words: object, stdin: str | None = None, **settings: str) -> "subprocess.CompletedProcess[str]":
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MILLPOND_")}
        command = [sys.executable, "-P", "-m", "millpond", *map(str, words)]
        env = kept | {"COLUMNS": "200", "NO_COLOR": "1"} | settings
        return subprocess.run(command, capture_output=True, text=True, env=env, input=stdin, timeout=90, check=False)

    return run


def assert_one_sentence(done: "subprocess.CompletedProcess[str]", *words: str, code: int = 1) -> None:
    """Exit 1 (or `code`) with one line on stderr that has `words`, and no traceback."""
    assert done.returncode == code, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stderr.startswith("millpond: ")
    for word in words:
        assert word in done.stderr
