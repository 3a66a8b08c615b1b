"""`/v1/products`: what there is to sell."""

from fastapi import APIRouter

from api.edge import At, CallerDep, Reads
from api.paging import Cursor, Limit, Page, after_id, cut_page, encode_cursor
from api.told.products import ProductOut, show_product
from catalogue.store import select_products

router = APIRouter(prefix="/v1/products", tags=["products"])


@router.get("", response_model=Page[ProductOut])
def get_products(
    reads: Reads, _caller: CallerDep, at: At, limit: Limit = 50, cursor: Cursor = None
) -> Page[ProductOut]:
    """Everything that is sold, by SKU, for anyone who is signed in."""
    with reads.connection() as conn:
        rows = select_products(conn, at=at, after=after_id(cursor), limit=limit + 1)
    shown, following = cut_page(rows, limit, lambda row: encode_cursor(row.sku))
    return Page(items=[show_product(row) for row in shown], next_cursor=following)
