"""Registering models and devices."""

from datetime import UTC, datetime

import pytest

from devices.profile import shipped_profiles
from devices.registry import register_device, register_model
from devices.seed import seed_shipped
from devices.store import select_device, select_installations, select_metrics, select_model_parts
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import Conflict, InvalidInput
from millpond.kernel.ids import CustomerId

AT = datetime(2026, 2, 1, tzinfo=UTC)


def test_a_registered_device_has_the_parts_its_model_comes_with(conn: WriteConnection) -> None:
    device = register_device(conn, serial="VAC-1", model="reed-vac-s", installed_at=AT, at=AT)
    parts = {i.part: i.consumable for i in select_installations(conn, device.device_id)}
    assert parts == {
        "filter": "reed-vac-filter",
        "main_brush": "reed-vac-main-brush",
        "side_brush": "reed-vac-side-brush",
    }
    assert select_device(conn, "VAC-1") == device


def test_a_serial_is_registered_once(conn: WriteConnection) -> None:
    register_device(conn, serial="A", model="reed-tv-55", installed_at=AT, at=AT)
    with pytest.raises(Conflict, match="serial A is already registered"):
        register_device(conn, serial="A", model="reed-tv-43", installed_at=AT, at=AT)


@pytest.mark.parametrize(
    ("serial", "model", "customer", "sentence"),
    [
        ("A/B", "reed-tv-55", None, "is not 1 to 64 letters"),
        ("A", "no-such-model", None, "model no-such-model is not known"),
        ("A", "reed-tv-55", CustomerId("cus_nobody"), "customer cus_nobody is not known"),
    ],
)
def test_a_device_that_cannot_be_is_refused_with_a_sentence(
    conn: WriteConnection, serial: str, model: str, customer: CustomerId | None, sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        register_device(conn, serial=serial, model=model, customer_id=customer, installed_at=AT, at=AT)


def test_seeding_twice_changes_nothing(conn: WriteConnection) -> None:
    before = (select_metrics(conn), select_model_parts(conn))
    seed_shipped(conn, at=AT)
    assert (select_metrics(conn), select_model_parts(conn)) == before


def test_a_metric_never_changes_its_unit(conn: WriteConnection) -> None:
    profile = shipped_profiles()["reed-air-2"]
    metric = profile.metrics["filter_used_h"].model_copy(update={"unit": "min"})
    changed = profile.model_copy(update={"metrics": profile.metrics | {"filter_used_h": metric}})
    with pytest.raises(InvalidInput, match="already stored with another kind or unit"):
        register_model(conn, changed)
