"""The hub's memory against the database: every value that it was told has arrived is there once, and none is twice."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from proof.hub import serial_of
from proof.oracle import Account, Row

# A broker that is killed has forgotten what came since it saved last, which takes it up to so long.
_UNSAVED_MS = 3_000
_LATEST_MS = 120_000


@dataclass(frozen=True, slots=True)
class Said:
    """One message: a value that no other has. `owed` is false where nobody can know whether the broker has it."""

    value: float
    sent_ms: int
    owed: bool = True


def read_said(path: Path) -> list[Said]:
    """All that a hub said."""
    sent: dict[int, int] = {}
    confirmed, ends = set[int](), list[int]()
    for line in path.read_text(encoding="utf-8").splitlines():
        kind, *numbers = line.split()
        if kind == "S":
            sent[int(numbers[0])] = int(numbers[1])
        elif kind == "C":
            confirmed.add(int(numbers[0]))
        else:
            ends.append(int(numbers[0]))
    return [Said(number, ms, number in confirmed and not _unsaved(ms, ends)) for number, ms in sent.items()]


def _unsaved(sent_ms: int, ends: Sequence[int]) -> bool:
    return any(0 <= end - sent_ms <= _UNSAVED_MS for end in ends)


def compare_hub(said: Sequence[Said], rows: Sequence[Row]) -> tuple[Account, int]:
    """What became of a hub's values, each one value of one message; and how many of them the broker has forgotten."""
    by_value = {(serial_of(int(one.value)), one.value): one for one in said}
    found = Counter((row.serial, row.value) for row in rows)
    missing = [one for key, one in by_value.items() if key not in found]
    lost = sum(one.owed for one in missing)
    known = [(row, by_value[row.serial, row.value]) for row in rows if (row.serial, row.value) in by_value]
    account = Account(
        sent=len(said) - len(missing) + lost,
        stored=len(rows),
        lost=lost,
        duplicated=sum(count - 1 for key, count in found.items() if key in by_value),
        phantom=len(rows) - len(known),
        corrupt=sum(not _time_is_right(row, one) for row, one in known),
    )
    return account, len(missing) - lost


def _time_is_right(row: Row, one: Said) -> bool:
    return row.corrected and not row.conflict and 0 <= row.at_us / 1000 - one.sent_ms <= _LATEST_MS
