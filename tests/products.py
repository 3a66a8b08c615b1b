"""Products for tests that need one of their own."""

from datetime import UTC, datetime

from catalogue.entries import ProductEntry
from catalogue.products import put_products
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import Sku

_AT = datetime(2026, 1, 1, tzinfo=UTC)


def make_product(conn: WriteConnection, sku: str, price_minor: int, currency: str = "EUR", at: datetime = _AT) -> Sku:
    """A product of that price from `at` on, and before that too if it had none."""
    entry = ProductEntry(sku=sku, name={"en": sku}, category="tv", price_minor=price_minor, currency=currency)
    put_products(conn, [entry], at=at, imported=True)
    return Sku(sku)
