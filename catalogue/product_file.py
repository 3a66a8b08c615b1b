"""Use case: a file of products into the catalogue."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from catalogue.entries import ProductEntry, find_sku_fault
from catalogue.importing import FileImport, Numbered, Progress, RowKind, Stored, find_columns, import_rows
from catalogue.nouns import AttributeValue
from catalogue.products import put_products
from catalogue.stock import UNTRACKED, StockLevel, put_stock
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput
from millpond.kernel.language import LANGUAGES
from millpond.kernel.money import MOST_MINOR, require_currency
from millpond.kernel.table_file import read_names
from millpond.kernel.text import find_fault

NEEDED = ("sku", "name_en", "category", "price_minor", "currency")
_NAMES = {f"name_{language}": language for language in LANGUAGES}
_ATTRIBUTE = re.compile(r"attr\.([a-z][a-z0-9_]{0,62})(:number|:boolean)?")
_WHOLE = re.compile(r"[0-9]{1,15}")
_BOOLEANS = {"true": True, "false": False}
_TEXT_MAX = 200
_CATEGORY_MAX = 100


@dataclass(frozen=True, slots=True)
class _ProductRow:
    product: ProductEntry
    stock: StockLevel | None
    """None where the file has no column for it."""


def import_products(
    conn: WriteConnection, path: Path, *, at: datetime, progress: Progress = lambda _done, _of: None
) -> FileImport:
    """Add or renew the products of a CSV or Parquet file; a price that changed holds from `at` on.

    The columns `NEEDED` must be there. `name_ko` and so on, `stock`, and `attr.NAME` (text), `attr.NAME:number` and
    `attr.NAME:boolean` may be: an empty cell takes away what is stored, and what has no column stays. Raises
    InvalidInput for a file without the needed columns.
    """
    names = read_names(path)
    columns = find_columns(path, names, NEEDED, _is_known)
    languages = [_NAMES[column] for column in columns if column in _NAMES]
    attributes = [attribute for column in columns if (attribute := _attribute_of(column))]
    if twice := [name for name, times in Counter(attributes).items() if times > 1]:
        raise InvalidInput(f"{path} has the attribute {twice[0]} twice, as two kinds: leave one of the two")

    def store(rows: Sequence[Numbered[_ProductRow]]) -> Stored:
        products = [row.says.product for row in rows]
        put = put_products(conn, products, at=at, imported=True, languages=languages, attributes=attributes)
        levels = {row.says.product.sku: row.says.stock for row in rows if row.says.stock is not None}
        changed = put.changed | put_stock(conn, levels, at=at) - put.added
        return Stored(len(put.added), len(changed), len(put.repriced))

    kind = RowKind(_read_row, lambda row: f"SKU {row.product.sku}", store)
    return import_rows(conn, path, columns, kind, FileImport([n for n in names if n not in columns]), progress)


def _is_known(column: str) -> bool:
    if column.startswith("attr.") and not _ATTRIBUTE.fullmatch(column):
        raise InvalidInput(
            f"column {column[:80]!r}: an attribute is attr.NAME, attr.NAME:number or attr.NAME:boolean, its name small"
            " letters, digits and underscores"
        )
    return column in (*NEEDED, *_NAMES, "stock") or column.startswith("attr.")


def _attribute_of(column: str) -> str | None:
    match = _ATTRIBUTE.fullmatch(column)
    return match[1] if match else None


def _read_row(cells: dict[str, str]) -> _ProductRow:
    """The product that the cells describe; InvalidInput with a sentence on the first that is wrong."""
    if fault := find_sku_fault(cells["sku"]):
        raise InvalidInput(fault)
    names = {_NAMES[column]: _shown(column, text) for column, text in cells.items() if column in _NAMES and text}
    if "en" not in names:
        raise InvalidInput("name_en is empty: every product has a name in English")
    product = ProductEntry(
        sku=cells["sku"],
        name=names,
        category=_shown("category", cells["category"], _CATEGORY_MAX),
        price_minor=_price(cells["price_minor"]),
        currency=require_currency(cells["currency"]),
        attributes={
            name: _value(column, text)
            for column, text in cells.items()
            if (name := _attribute_of(column)) is not None and text
        },
    )
    return _ProductRow(product, _stock(cells["stock"]) if "stock" in cells else None)


def _shown(column: str, text: str, most: int = _TEXT_MAX) -> str:
    if fault := find_fault(text):
        raise InvalidInput(f"{column}: {fault}")
    if len(text) > most:
        raise InvalidInput(f"{column} has {len(text):,} characters, {most} are the most")
    return text


def _price(text: str) -> int:
    if not _WHOLE.fullmatch(text) or not int(text):
        raise InvalidInput(
            f"price_minor {text[:40]!r} is not a whole number from 1 to {MOST_MINOR:,}: write 3990 for 39.90 euros"
        )
    return int(text)


def _stock(text: str) -> StockLevel:
    if not text:
        return UNTRACKED
    if text == "unknown":
        return StockLevel(None)
    if not _WHOLE.fullmatch(text):
        raise InvalidInput(f"stock {text[:40]!r} is neither a number of units nor unknown, and not empty")
    return StockLevel(int(text))


def _value(column: str, text: str) -> AttributeValue:
    """A cell of an attribute's column as what the column's name says."""
    if column.endswith(":boolean"):
        if text.lower() not in _BOOLEANS:
            raise InvalidInput(f"{column}: {text[:40]!r} is neither true nor false")
        return _BOOLEANS[text.lower()]
    return _number(column, text) if column.endswith(":number") else _shown(column, text)


def _number(column: str, text: str) -> int | float:
    if _WHOLE.fullmatch(text.removeprefix("-")):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidInput(f"{column}: {text[:40]!r} is not a number")
    return number
