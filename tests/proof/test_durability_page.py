"""docs/durability.md names only tests and faults that exist."""

import re
from pathlib import Path

from proof.cli import FAULTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "durability.md").read_text()


def test_every_test_it_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert len(named) > 15
    assert [n for n in named if f"def {n[1]}(" not in (ROOT / n[0]).read_text()] == []


def test_it_names_every_fault_and_no_other() -> None:
    assert set(re.findall(r"`scripts/faults ([a-z-]+)`", PAGE)) == set(FAULTS)


def test_every_line_of_a_hop_says_what_shows_it() -> None:
    hops = PAGE.split("## The proof")[0]
    lines = [line for line in hops.splitlines() if line.startswith("| ") and not line.startswith(("| when", "| ---"))]
    assert [line for line in lines if not re.search(r"`(tests|scripts)/|not shown:", line.rsplit("|", 2)[1])] == []
