"""Use cases: fill the catalogue from profile files, and register devices."""

from datetime import datetime
from functools import partial

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from devices.nouns import Device
from devices.profile import Catalogue, DeviceProfile, PartProfile
from millpond.kernel.db import Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import Conflict, InvalidInput
from millpond.kernel.ids import CustomerId

_Q = load_queries("devices")


def seed_catalogue(conn: WriteConnection, catalogue: Catalogue) -> None:
    """Add or renew products, consumables and compatibility edges, in one transaction."""
    with conn.transaction():
        for product in catalogue.products:
            conn.execute(_Q["upsert_product"], product.model_dump() | {"name": Jsonb(product.name.model_dump())})
        for consumable in catalogue.consumables:
            conn.execute(
                _Q["upsert_consumable"],
                consumable.model_dump() | {"name": Jsonb(consumable.name.model_dump())},
            )
        for edge in catalogue.compatibility:
            conn.execute(_Q["upsert_compatibility"], edge.model_dump())


def register_model(conn: WriteConnection, profile: DeviceProfile) -> None:
    """Add or renew a device model from its profile, in one transaction.

    Raises InvalidInput when a metric that already exists would change its kind or unit, or when the profile names a
    consumable or product that the catalogue does not have.
    """
    try:
        with conn.transaction():
            values = profile.model_dump(include={"model", "category", "sku"})
            conn.execute(_Q["upsert_device_model"], values | {"name": Jsonb(profile.name.model_dump())})
            metric_ids = {name: _upsert_metric(conn, profile, name) for name in profile.metrics}
            for part in profile.parts:
                _upsert_part(conn, profile.model, part, metric_ids)
    except psycopg.errors.ForeignKeyViolation as error:
        raise InvalidInput(
            f"profile {profile.model} names something the catalogue does not have: {error.diag.message_detail}"
        ) from error


def _upsert_metric(conn: WriteConnection, profile: DeviceProfile, name: str) -> int:
    metric = profile.metrics[name]
    values = {
        "model": profile.model,
        "name": name,
        "kind": metric.kind,
        "unit": metric.unit,
        "min_value": metric.min,
        "max_value": metric.max,
        "states": metric.states,
    }
    row = conn.execute(_Q["upsert_metric"], values).fetchone()
    if row is None:
        raise InvalidInput(
            f"metric {name} of {profile.model} is already stored with another kind or unit: give it a new name"
        )
    return int(row[0])


def _upsert_part(conn: WriteConnection, model: str, part: PartProfile, metric_ids: dict[str, int]) -> None:
    values = part.model_dump(exclude={"limits"}) | {"model": model}
    conn.execute(_Q["upsert_model_part"], values)
    for limit in part.limits:
        values = limit.model_dump() | {
            "model": model,
            "part": part.part,
            "metric_id": metric_ids[limit.metric],
        }
        conn.execute(_Q["upsert_part_limit"], values)


def register_device(
    conn: WriteConnection,
    *,
    serial: str,
    model: str,
    region: str = "",
    customer_id: CustomerId | None = None,
    installed_at: datetime,
    at: datetime,
) -> Device:
    """Register a device with the parts its model comes with.

    Raises Conflict when the serial is taken, InvalidInput when the model or the customer is unknown or the serial
    does not fit into a topic.
    """
    values = {
        "serial": serial,
        "model": model,
        "region": region,
        "customer_id": customer_id,
        "installed_at": installed_at,
        "at": at,
    }
    refusals = _device_refusals(serial, model, customer_id)
    with refusing(conn, refusals), conn.cursor(row_factory=class_row(Device)) as cursor:
        device = cursor.execute(_Q["insert_device"], values).fetchone()
        assert device is not None
        conn.execute(_Q["insert_first_installations"], values | {"device_id": device.device_id})
        return device


def _device_refusals(serial: str, model: str, customer_id: CustomerId | None) -> Refusals:
    unfit = f"serial {serial[:80]!r} is not 1 to 64 letters, digits, dots, colons, dashes or underscores"
    return {
        "device_serial_unique": partial(Conflict, f"serial {serial} is already registered"),
        "device_serial_fits_a_topic": partial(InvalidInput, unfit),
        "device_model_fkey": partial(InvalidInput, f"model {model} is not known: add its profile first"),
        "device_customer_id_fkey": partial(InvalidInput, f"customer {customer_id} is not known"),
    }
