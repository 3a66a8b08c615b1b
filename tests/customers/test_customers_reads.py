"""A customer is found out once, at the edge, and whoever reads one reads the one who stays."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_READS_THE_TABLE = re.compile(r"\b(?:from|join)\s+customer\b", re.IGNORECASE)
_MAY_MAKE_AN_ID = {
    "api/routes/orders.py",  # Of what nobody is called: the sale is refused for it, after all else that may be wrong.
    "api/web/pages/staff.py",  # Of a page's cursor: the last id that was shown.
}


def test_only_customers_reads_the_table_of_customers() -> None:
    packages = [path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name not in ("customers", "tests")]
    files = [file for package in packages for file in package.rglob("*.sql") if "migrations" not in file.parts]
    assert len(files) > 5
    assert [file for file in files if _READS_THE_TABLE.search(file.read_text())] == []
    assert _READS_THE_TABLE.search((ROOT / "customers" / "queries.sql").read_text())


def test_the_api_makes_no_customers_id_out_of_a_text() -> None:
    """It asks `resolve_customer`, which answers with the id of somebody who exists."""
    makers = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "api").rglob("*.py")
        if any(_makes_an_id(node) for node in ast.walk(ast.parse(file.read_text())))
    }
    assert makers == _MAY_MAKE_AN_ID


def _makes_an_id(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "CustomerId"
