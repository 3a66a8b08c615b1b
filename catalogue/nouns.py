"""What is sold, and what fits what."""

from dataclasses import dataclass, field
from enum import StrEnum

from millpond.kernel.ids import Sku
from millpond.kernel.money import Money

AttributeValue = str | bool | int | float


class Relation(StrEnum):
    """What joining a product to another means; `incompatible` is a hard no."""

    CONSUMABLE_FOR = "consumable_for"
    REQUIRED_PART = "required_part"
    ACCESSORY = "accessory"
    PART_OF_SET = "part_of_set"
    OFTEN_BOUGHT_WITH = "often_bought_with"
    SUBSTITUTE = "substitute"
    INCOMPATIBLE = "incompatible"


@dataclass(frozen=True, slots=True)
class Product:
    """Something sold, at the price of one moment; `name` by language (`en` is always there).

    `attributes` is flat: each is a text, a number, or true or false; a number's unit is in its name (`height_cm`).
    """

    sku: Sku
    name: dict[str, str]
    category: str
    price: Money
    attributes: dict[str, AttributeValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CompatibilityEdge:
    """`from_sku` is what a household has, `to_sku` what would join it. `weight` is 0 to 1."""

    from_sku: Sku
    to_sku: Sku
    relation: Relation
    weight: float
    condition: str | None
    evidence: str


@dataclass(frozen=True, slots=True)
class UsedConsumable:
    """A device model has a place for a consumable, sold as `sku`; `model_sku` is its own product, where it is sold."""

    model: str
    model_sku: Sku | None
    sku: Sku
