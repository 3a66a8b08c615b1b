"""Use cases: register consumables, models by their profiles, and devices."""

from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial

import psycopg
from psycopg.rows import scalar_row
from psycopg.types.json import Jsonb

from devices.nouns import Device
from devices.owners import begin_first_period
from devices.profile import ConsumableEntry, DeviceProfile, PartProfile
from devices.store import read_device
from millpond.kernel.db import Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import Conflict, InvalidInput
from millpond.kernel.ids import CustomerId

_Q = load_queries("devices")
_FIRST_INSTALLED = datetime(2000, 1, 1, tzinfo=UTC)


def register_consumable(conn: WriteConnection, entry: ConsumableEntry) -> None:
    """Add or renew a consumable. Raises InvalidInput when the catalogue does not have its product."""
    missing = partial(
        InvalidInput, f"consumable {entry.consumable}: the catalogue has no product {entry.sku}: add it first"
    )
    with refusing(conn, {"consumable_sku_fkey": missing}):
        conn.execute(_Q["upsert_consumable"], entry.model_dump() | {"name": Jsonb(entry.name)})


def register_model(conn: WriteConnection, profile: DeviceProfile) -> None:
    """Add or renew a device model from its profile, in one transaction.

    Raises InvalidInput when a metric that already exists would change its kind or unit, or when the profile names a
    consumable or product that the catalogue does not have.
    """
    try:
        with conn.transaction():
            values = profile.model_dump(include={"model", "category", "sku", "also"})
            speaks = {
                name: {said: asdict(one) for said, one in profile.meanings(name).items()} for name in profile.speaks
            }
            conn.execute(_Q["upsert_device_model"], values | {"name": Jsonb(profile.name), "speaks": Jsonb(speaks)})
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
    with conn.cursor(row_factory=scalar_row) as cursor:
        metric_id = cursor.execute(_Q["upsert_metric"], values).fetchone()
    if metric_id is None:
        raise InvalidInput(
            f"metric {name} of {profile.model} is already stored with another kind or unit: give it a new name"
        )
    return int(metric_id)


def _upsert_part(conn: WriteConnection, model: str, part: PartProfile, metric_ids: dict[str, int]) -> None:
    values = part.model_dump(exclude={"limits"}) | {"model": model}
    conn.execute(_Q["upsert_model_part"], values)
    stay = [metric_ids[limit.metric] for limit in part.limits]
    conn.execute(_Q["delete_part_limits"], {"model": model, "part": part.part, "metric_ids": stay})
    for limit in part.limits:
        values = limit.model_dump() | {"model": model, "part": part.part, "metric_id": metric_ids[limit.metric]}
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
    granted_by: str = "operator",
) -> Device:
    """Register a device with the parts its model comes with; its owner, if any, has had it since it was installed.

    Raises Conflict when the serial is taken, InvalidInput when the model or the customer is unknown, the serial does
    not fit into a topic, or nothing can have been installed then.
    """
    require_installed_at(installed_at, at)
    values = {
        "serial": serial,
        "model": model,
        "region": region,
        "customer_id": customer_id,
        "installed_at": installed_at,
        "at": at,
    }
    with refusing(conn, _device_refusals(serial, model, customer_id)):
        conn.execute(_Q["insert_device"], values)
        device = read_device(conn, serial)
        conn.execute(_Q["insert_first_installations"], values | {"device_id": device.device_id})
        begin_first_period(conn, device, granted_by)
        return device


def move_device(conn: WriteConnection, device: Device, *, region: str, installed_at: datetime, at: datetime) -> Device:
    """Correct where a device stands and since when, with the parts it came with; the caller has locked it.

    Raises InvalidInput when nothing can have been installed then, Conflict when a part was replaced before.
    """
    require_installed_at(installed_at, at)
    values = {"device_id": device.device_id, "region": region, "installed_at": installed_at}
    with refusing(conn, _move_refusals(device.serial)):
        if installed_at != device.installed_at:
            before = values | {"before": device.installed_at}
            conn.execute(_Q["move_first_installations"], before)
            conn.execute(_Q["move_first_owner"], before)
        conn.execute(_Q["update_device_place"], values)
    return read_device(conn, device.serial)


def require_installed_at(installed_at: datetime, at: datetime) -> None:
    """Raise InvalidInput for a moment that is still to come, or before there were such devices."""
    if installed_at > at:
        raise InvalidInput(f"installed_at {installed_at.isoformat()} is in the future: it is {at.isoformat()}")
    if installed_at < _FIRST_INSTALLED:
        raise InvalidInput(
            f"installed_at {installed_at.isoformat()} is before {_FIRST_INSTALLED.year}: is it in seconds?"
        )


def _move_refusals(serial: str) -> Refusals:
    later = partial(Conflict, f"installed_at: a part of {serial} was replaced, or its owner changed, before that")
    return {
        "installation_not_empty": later,
        "installation_starts_once": later,
        "device_owner_ends_after_it_began": later,
        "device_has_one_owner_at_a_time": later,
    }


def _device_refusals(serial: str, model: str, customer_id: CustomerId | None) -> Refusals:
    unfit = f"serial {serial[:80]!r} is not 1 to 64 letters, digits, dots, colons, dashes or underscores"
    return {
        "device_serial_unique": partial(Conflict, f"serial {serial} is already registered"),
        "device_serial_fits_a_topic": partial(InvalidInput, unfit),
        "device_model_fkey": partial(InvalidInput, f"model {model} is not known: add its profile first"),
        "device_customer_id_fkey": partial(InvalidInput, f"customer {customer_id} is not known"),
    }
