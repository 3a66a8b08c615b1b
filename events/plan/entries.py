"""A file of the tracking plan, typed: what ships, and what people write themselves."""

from typing import Any

from pydantic import Field

from millpond.kernel.yaml_file import Strict

Json = dict[str, Any]


class PlannedEvent(Strict):
    """One event: what it says, where its SKU, order and value stand, and the JSON Schema of its properties."""

    says: str = Field(min_length=1, description="What happened, in one sentence.")
    sku: tuple[str, ...] = Field((), description="Properties in which a SKU may stand; the first that is there counts.")
    order: tuple[str, ...] = Field((), description="Properties in which the id of an order may stand.")
    value: tuple[str, ...] = Field((), description="Properties in which an amount may stand, in whole units.")
    properties: Json = Field({}, alias="schema", description="The JSON Schema (2020-12) of its properties.")


class PlanFile(Strict):
    """Events by their names, and parts that their schemas name as `#/$defs/…`."""

    parts: Json = Field({}, alias="$defs", description="Parts that schemas of all files may name.")
    events: dict[str, PlannedEvent] = Field({}, description="Events, by the name that a track call gives them.")
