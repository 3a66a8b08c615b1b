"""Products and edges as a file has them, checked before they come into the database."""

import re
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import Annotated, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from catalogue.nouns import AttributeValue, Relation
from millpond.kernel.language import Names
from millpond.kernel.money import DECIMALS, MOST_MINOR
from millpond.kernel.yaml_file import Strict, read_yaml

_SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
AttributeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


def find_sku_fault(sku: str) -> str | None:
    """What is wrong with a SKU, in one sentence; None when it may be one."""
    if _SKU.fullmatch(sku):
        return None
    return f"SKU {sku[:80]!r} is not 1 to 64 letters, digits, dots, colons, dashes or underscores"


def _check_sku(sku: str) -> str:
    if fault := find_sku_fault(sku):
        raise ValueError(fault)
    return sku


SkuText = Annotated[str, AfterValidator(_check_sku)]


class ProductEntry(Strict):
    """A product of the catalogue; the price is in minor units."""

    sku: SkuText
    name: Names
    category: str = Field(min_length=1, max_length=100)
    price_minor: int = Field(gt=0, le=MOST_MINOR)
    currency: str
    attributes: dict[AttributeName, AttributeValue] = Field(default_factory=dict)

    @field_validator("currency")
    @classmethod
    def _currency_in_use(cls, currency: str) -> str:
        if currency not in DECIMALS:
            raise ValueError(f"{currency[:20]!r} is not a currency in use: take its ISO 4217 code, like EUR or KRW")
        return currency


class EdgeEntry(Strict):
    """A typed compatibility edge with its evidence: `from` is what a household has, `to` what would join it."""

    from_sku: SkuText = Field(alias="from")
    to_sku: SkuText = Field(alias="to")
    relation: Relation
    weight: float = Field(ge=0, le=1, default=1)
    condition: str | None = None
    evidence: str


class Catalogue(Strict):
    """What is sold and what fits what."""

    products: list[ProductEntry] = Field(default_factory=list)
    compatibility: list[EdgeEntry] = Field(default_factory=list)

    @model_validator(mode="after")
    def _says_each_once(self) -> Self:
        skus = [product.sku for product in self.products]
        edges = [f"{edge.from_sku} {edge.relation} {edge.to_sku}" for edge in self.compatibility]
        for said, count in Counter([*skus, *edges]).items():
            if count > 1:
                raise ValueError(f"{said} is there {count} times")
        return self


@cache
def shipped_catalogue() -> Catalogue:
    """The catalogue that comes with Millpond."""
    return read_yaml(Catalogue, (files("catalogue") / "catalogue.yaml").read_text(encoding="utf-8"), "catalogue.yaml")
