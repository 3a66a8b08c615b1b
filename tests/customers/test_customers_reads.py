"""Whoever reads a customer reads the one who stays: other packages ask the view, never the table."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_READS_THE_TABLE = re.compile(r"\b(?:from|join)\s+customer\b", re.IGNORECASE)


def test_only_customers_reads_the_table_of_customers() -> None:
    packages = [path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name not in ("customers", "tests")]
    files = [file for package in packages for file in package.rglob("*.sql") if "migrations" not in file.parts]
    assert len(files) > 5
    assert [file for file in files if _READS_THE_TABLE.search(file.read_text())] == []
    assert _READS_THE_TABLE.search((ROOT / "customers" / "queries.sql").read_text())
