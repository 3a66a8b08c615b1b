"""What there is to sell, as people are told."""

from api.models import MoneyOut, Out
from catalogue.nouns import Product


class ProductOut(Out):
    """Something sold, at its list price; `names` by language, `en` is always there."""

    sku: str
    names: dict[str, str]
    category: str
    price: MoneyOut


def show_product(product: Product) -> ProductOut:
    """The product at its list price."""
    price = MoneyOut.model_validate(product.price)
    return ProductOut(sku=product.sku, names=product.name, category=product.category, price=price)
