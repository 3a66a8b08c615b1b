"""What a check found."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """Good; works, and could be better; does not work."""

    GOOD = "✓"
    WARNING = "!"
    BAD = "✗"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one thing, and what to change when it is not good."""

    check: str
    level: Level
    sentence: str
    change: str = ""


Findings = Iterator[Finding]


def good(check: str, sentence: str) -> Finding:
    """All is well."""
    return Finding(check, Level.GOOD, sentence)


def warning(check: str, sentence: str, change: str) -> Finding:
    """It works, and should be changed."""
    return Finding(check, Level.WARNING, sentence, change)


def bad(check: str, sentence: str, change: str) -> Finding:
    """It does not work until it is changed."""
    return Finding(check, Level.BAD, sentence, change)
