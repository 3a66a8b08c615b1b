"""The catalogue: what there is to sell."""

from fastapi import APIRouter

from api.edge import CallerDep, Reads
from api.models import MoneyOut, Out
from api.paging import Cursor, Limit, Page, cut_page, decode_cursor, encode_cursor
from api.store import select_products
from catalogue.nouns import Product

router = APIRouter(prefix="/v1/products", tags=["products"])


class ProductOut(Out):
    """Something sold, at its list price; `names` by language, `en` is always there."""

    sku: str
    names: dict[str, str]
    category: str
    price: MoneyOut


@router.get("", response_model=Page[ProductOut])
def get_products(reads: Reads, caller: CallerDep, limit: Limit = 50, cursor: Cursor = None) -> Page[ProductOut]:
    """Everything that is sold, by SKU, for anyone who is signed in."""
    after = decode_cursor(cursor, str)[0] if cursor else ""
    with reads.connection() as conn:
        rows = select_products(conn, after=after, limit=limit + 1)
    shown, following = cut_page(rows, limit, lambda row: encode_cursor(row.sku))
    return Page(items=[_show(row) for row in shown], next_cursor=following)


def _show(product: Product) -> ProductOut:
    price = MoneyOut.model_validate(product.price)
    return ProductOut(sku=product.sku, names=product.name, category=product.category, price=price)
