"""Reading back what device models are: as their profiles said, one page or one model at a time."""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg.rows import kwargs_row

from devices.nouns import Meaning, Metric, ModelPart
from devices.store import select_metrics, select_model_parts
from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.errors import NotFound

_Q = load_queries("devices")


@dataclass(frozen=True, slots=True)
class DeviceModel:
    """One model: its names by language, what else it is called, and what its properties mean by format and property."""

    model: str
    name: dict[str, str]
    category: str
    sku: str | None
    also: list[str]
    speaks: Mapping[str, Mapping[str, Meaning]]


def select_device_models(
    conn: ReadConnection, *, after: str = "", search: str = "", limit: int = 50
) -> list[DeviceModel]:
    """Up to `limit` models after one, by model; those in whose names `search` stands, of whatever case."""
    with conn.cursor(row_factory=kwargs_row(_model)) as cursor:
        values = {"after": after, "search": search, "limit": limit}
        return cursor.execute(_Q["select_device_models"], values).fetchall()


def require_device_model(conn: ReadConnection, model: str) -> DeviceModel:
    """The model of this name. Raises NotFound when there is none."""
    with conn.cursor(row_factory=kwargs_row(_model)) as cursor:
        found = cursor.execute(_Q["select_device_model"], {"model": model}).fetchone()
    if found is None:
        raise NotFound(f"there is no model {model[:80]!r}")
    return found


def select_metrics_of(conn: ReadConnection, model: str) -> list[Metric]:
    """What a model measures, by name."""
    by_name = select_metrics(conn).get(model, {})
    return [by_name[name] for name in sorted(by_name)]


def select_parts_of(conn: ReadConnection, model: str) -> list[ModelPart]:
    """A model's places for consumables, by part."""
    by_part = select_model_parts(conn).get(model, {})
    return [by_part[part] for part in sorted(by_part)]


def _model(*, speaks: Mapping[str, Mapping[str, Mapping[str, object]]], **same: object) -> DeviceModel:
    meant = {
        language: {said: Meaning.from_json(kept) for said, kept in properties.items()}
        for language, properties in speaks.items()
    }
    return DeviceModel(speaks=meant, **same)  # type: ignore[arg-type]  # the columns of a row
