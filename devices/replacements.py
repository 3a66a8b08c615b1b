"""What devices say of the products that replace their parts: numbers of the trade, as Matter's devices list them."""

from dataclasses import dataclass

from psycopg.rows import class_row

from millpond.kernel.db import ReadConnection, load_queries

_Q = load_queries("devices")


@dataclass(frozen=True, slots=True)
class NamedReplacement:
    """A product that devices of a model name for a part. `sku` is the model's own product, None when it has none.

    `kind` is `upc`, `gtin8`, `ean`, `gtin14` or `oem`; `devices` is how many of them name it now.
    """

    model: str
    sku: str | None
    part: str
    kind: str
    number: str
    devices: int


def select_named_replacements(conn: ReadConnection) -> list[NamedReplacement]:
    """All that devices name now, by model, part, kind and number."""
    with conn.cursor(row_factory=class_row(NamedReplacement)) as cursor:
        return cursor.execute(_Q["select_named_replacements"]).fetchall()
