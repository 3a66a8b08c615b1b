"""One function, one statement: devices, models, metrics, parts."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import class_row, dict_row, kwargs_row

from catalogue.nouns import UsedConsumable
from devices.nouns import (
    Device,
    DeviceStatus,
    Installation,
    LatestValue,
    Meaning,
    Measure,
    Metric,
    MetricKind,
    ModelPart,
    PartLimit,
)
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.ids import CustomerId, DeviceId

_Q = load_queries("devices")


def select_device(conn: ReadConnection, serial: str) -> Device | None:
    """The device with this serial."""
    return select_devices_by_serial(conn, [serial]).get(serial)


def read_device(conn: ReadConnection, serial: str) -> Device:
    """The device with this serial, which the caller knows to be there: it was registered, or locked, before."""
    device = select_device(conn, serial)
    assert device is not None
    return device


def select_devices_by_serial(conn: ReadConnection, serials: Sequence[str]) -> dict[str, Device]:
    """Those of `serials` that are registered, by serial."""
    with conn.cursor(row_factory=class_row(Device)) as cursor:
        rows = cursor.execute(_Q["select_devices_by_serial"], {"serials": list(serials)}).fetchall()
    return {row.serial: row for row in rows}


def select_devices(
    conn: ReadConnection, *, after: int = 0, limit: int = 50, customer_id: CustomerId | None = None
) -> list[Device]:
    """Up to `limit` devices with a key above `after`, of one customer or of all."""
    with conn.cursor(row_factory=class_row(Device)) as cursor:
        values = {"after": after, "limit": limit, "customer_id": customer_id}
        return cursor.execute(_Q["select_devices"], values).fetchall()


def select_device_status(conn: ReadConnection, device_id: DeviceId) -> DeviceStatus | None:
    """What the device last said of itself, None when it never did."""
    with conn.cursor(row_factory=class_row(DeviceStatus)) as cursor:
        return cursor.execute(_Q["select_device_status"], {"device_id": device_id}).fetchone()


def upsert_device_status(conn: WriteConnection, device_id: DeviceId, *, state: str, session: str, at: datetime) -> bool:
    """Record a status; False when it was an offline of an older session, or nothing new."""
    values = {"device_id": device_id, "state": state, "session": session, "at": at}
    return conn.execute(_Q["upsert_device_status"], values).rowcount == 1


def select_known_devices(conn: ReadConnection, serials: Sequence[str]) -> list[tuple[str, int, str]]:
    """Serial, id and model of those of `serials` that are registered."""
    return conn.execute(_Q["select_known_devices"], {"serials": list(serials)}).fetchall()


def select_registry_changes(conn: ReadConnection) -> int:
    """A number that is another one once a device or model that was there is another one, or gone."""
    [(changes,)] = conn.execute(_Q["select_registry_changes"]).fetchall()
    return int(changes)


def select_metrics(conn: ReadConnection) -> dict[str, dict[str, Metric]]:
    """All metrics, by model and name."""
    by_model: dict[str, dict[str, Metric]] = {}
    with conn.cursor(row_factory=kwargs_row(_metric)) as cursor:
        for metric in cursor.execute(_Q["select_metrics"]):
            by_model.setdefault(metric.model, {})[metric.name] = metric
    return by_model


def select_speaks(conn: ReadConnection) -> dict[str, dict[str, dict[str, Meaning]]]:
    """What every model's properties mean, by format, model and property."""
    by_format: dict[str, dict[str, dict[str, Meaning]]] = {}
    for model, format_name, properties in conn.execute(_Q["select_speaks"]).fetchall():
        meanings = {said: Meaning.from_json(kept) for said, kept in properties.items()}
        by_format.setdefault(format_name, {})[model] = meanings
    return by_format


def _metric(*, kind: str, **same: Any) -> Metric:
    return Metric(kind=MetricKind(kind), **same)


def select_model_parts(conn: ReadConnection) -> dict[str, dict[str, ModelPart]]:
    """Every model's places for consumables with what limits them, by model and part."""
    limits: dict[tuple[str, str], list[PartLimit]] = {}
    by_model: dict[str, dict[str, ModelPart]] = {}
    with conn.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(_Q["select_part_limits"]):
            limits.setdefault((row.pop("model"), row["part"]), []).append(_limit(**row))
        for row in cursor.execute(_Q["select_model_parts"]):
            part = ModelPart(limits=tuple(limits[row["model"], row["part"]]), **row)
            by_model.setdefault(part.model, {})[part.part] = part
    return by_model


def _limit(*, measure: str, due: list[str] | None, **same: Any) -> PartLimit:
    return PartLimit(measure=Measure(measure), due=frozenset(due or ()), **same)


def select_models_called(conn: ReadConnection, names: Collection[str]) -> dict[str, str]:
    """The models that hubs and makers call so, by that name in small letters."""
    values = {"names": sorted({name.lower() for name in names})}
    return {called.lower(): model for model, called in conn.execute(_Q["select_models_called"], values).fetchall()}


def select_used_consumables(conn: ReadConnection) -> list[UsedConsumable]:
    """The consumables that device models have places for, by the model."""
    with conn.cursor(row_factory=class_row(UsedConsumable)) as cursor:
        return cursor.execute(_Q["select_used_consumables"]).fetchall()


def select_installations(conn: ReadConnection, device_id: DeviceId) -> list[Installation]:
    """All installations of a device, by part, newest first."""
    with conn.cursor(row_factory=class_row(Installation)) as cursor:
        return cursor.execute(_Q["select_installations"], {"device_id": device_id}).fetchall()


def select_latest(conn: ReadConnection, device_id: DeviceId) -> list[LatestValue]:
    """The newest value of every metric of a device, by metric name."""
    with conn.cursor(row_factory=class_row(LatestValue)) as cursor:
        return cursor.execute(_Q["select_latest"], {"device_id": device_id}).fetchall()
