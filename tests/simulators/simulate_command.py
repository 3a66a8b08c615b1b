"""`millpond simulate` as a person calls it, and a small scenario with changes."""

import sys
from typing import Any

import pytest
import yaml

from millpond.cli import main

_GOOD = {"title": "t", "shows": "s.", "models": {"reed-air-2": 2}, "duration": "6h", "interval": "1h"}


def run_cli(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run it in this process; the exit code."""
    monkeypatch.setattr(sys, "argv", ["millpond", "simulate", *arguments])
    monkeypatch.setattr("millpond.cli.fleet.configure_logging", lambda _level: None)  # pytest keeps its own
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def changed(**changes: Any) -> str:
    """The YAML of a scenario that can be meant, with other values of some keys."""
    return yaml.safe_dump(_GOOD | changes)
