"""One way to sell: what records a sale is not called past what also withdraws the offers that it makes moot."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = [path for path in ROOT.glob("*/**/*.py") if path.relative_to(ROOT).parts[0] not in ("tests", ".venv")]


def test_only_offers_record_a_sale() -> None:
    callers = {path.relative_to(ROOT).parts[0] for path in PRODUCT if "record_sale(" in path.read_text()}
    assert callers == {"attribution", "offers"}
