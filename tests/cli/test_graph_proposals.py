"""`millpond graph proposals`: what devices say that replaces their parts, for a person to look at."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalogue.edge_file import import_compatibility
from catalogue.entries import ProductEntry
from catalogue.graph import select_edges
from catalogue.nouns import Relation
from catalogue.products import put_products
from devices.profile import shipped_profiles
from devices.registry import register_device, register_model
from ingest.formats.shipped import FORMATS
from ingest.nouns import Delivery, Lane, Limits
from ingest.storing.batch import store_batch
from millpond.kernel.db import WriteConnection, connect
from tests.cli.conftest import Run
from tests.products import make_product

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
LIMITS = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
NAMED = [{"0": 0, "1": "012345678905"}, {"0": 4, "1": "f-22"}, {"0": 2, "1": "4006381333931"}]


def sell(conn: WriteConnection, sku: str, **attributes: str) -> None:
    names = {"en": sku}
    entry = ProductEntry(
        sku=sku, name=names, category="filter", price_minor=990, currency="EUR", attributes=dict(attributes)
    )
    put_products(conn, [entry], at=NOW, imported=True)


def say(conn: WriteConnection, serial: str, model: str) -> None:
    """A device of the model, and what it says of its HEPA filter."""
    register_device(conn, serial=serial, model=model, installed_at=NOW, at=NOW)
    payload = json.dumps({"1/113/0": 80, "1/113/5": NAMED}).encode()
    delivery = Delivery(f"millpond/v1/{serial}/raw/matter", payload, NOW, Lane.LIVE, 1, 1, 1)
    assert store_batch(conn, [delivery], LIMITS, consumer="test", at=NOW, formats=FORMATS).tally.stored == 4


@pytest.fixture
def said(database: str) -> str:
    """Two purifiers of a brand's own model, which name three products, and one of no product."""
    with connect(database) as conn:
        make_product(conn, "ACME-AIR", 19_900)
        profile = shipped_profiles()["matter.air-purifier"].model_copy(update={"model": "acme.air", "sku": "ACME-AIR"})
        register_model(conn, profile)
        sell(conn, "ACME-HEPA", gtin="12345678905")
        sell(conn, "F-22")
        for serial, model in (("A-1", "acme.air"), ("A-2", "acme.air"), ("X-1", "matter.air-purifier")):
            say(conn, serial, model)
    return database


def test_what_devices_name_is_printed_as_edges_with_their_evidence(millpond: Run, said: str, tmp_path: Path) -> None:
    done = millpond("graph", "proposals", MILLPOND_DATABASE_URL=said)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["from"], row["to"], row["evidence"]) for row in rows] == [
        ("ACME-AIR", "F-22", "2 devices say that OEM f-22 replaces its hepa"),
        ("ACME-AIR", "ACME-HEPA", "2 devices say that UPC 012345678905 replaces its hepa"),
    ]
    assert done.stderr.splitlines() == [
        "acme.air, hepa, EAN 4006381333931: no product has this number",
        "matter.air-purifier, hepa, EAN 4006381333931: the model has no product",
        "matter.air-purifier, hepa, OEM f-22: the model has no product",
        "matter.air-purifier, hepa, UPC 012345678905: the model has no product",
    ]
    path = tmp_path / "edges.csv"
    path.write_text(done.stdout, encoding="utf-8")
    with connect(said) as conn:
        assert not [edge for edge in select_edges(conn) if edge.from_sku == "ACME-AIR"]
        assert import_compatibility(conn, path).added == 2
        found = [(edge.to_sku, edge.relation) for edge in select_edges(conn) if edge.from_sku == "ACME-AIR"]
    assert found == [("ACME-HEPA", Relation.CONSUMABLE_FOR), ("F-22", Relation.CONSUMABLE_FOR)]
    again = millpond("graph", "proposals", MILLPOND_DATABASE_URL=said)
    assert again.stdout == "from,to,relation,evidence\n"
