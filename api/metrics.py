"""The numbers of the metrics page that live in the database, read in the moment of asking."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry
from psycopg.rows import class_row
from psycopg_pool import ConnectionPool, PoolTimeout

from millpond.kernel.db import ReadConnection, load_queries

_Q = load_queries("api")
_LOG = logging.getLogger(__name__)
_OUTCOMES = ("stored", "duplicate", "conflict", "quarantined")


@dataclass(frozen=True, slots=True)
class IngestTally:
    """Counts since the beginning; received = stored + duplicate + conflict + quarantined + in flight.

    `dropped` messages were beyond an allowance of their device, and are in no other count.
    """

    messages: int
    received: int
    stored: int
    duplicate: int
    conflict: int
    quarantined: int
    dropped: int
    in_flight: int


@dataclass(frozen=True, slots=True)
class HouseTally:
    """How much there is of everything else. The ledger's balance is zero, or something is badly wrong."""

    devices: int
    online: int
    customers: int
    open_offers: int
    quarantined_items: int
    ledger_balance_minor: int


def select_ingest_tally(conn: ReadConnection) -> IngestTally:
    """What came in and what became of it."""
    with conn.cursor(row_factory=class_row(IngestTally)) as cursor:
        tally = cursor.execute(_Q["select_ingest_tally"]).fetchone()
    assert tally is not None
    return tally


def select_house_tally(conn: ReadConnection) -> HouseTally:
    """How much there is of everything else."""
    with conn.cursor(row_factory=class_row(HouseTally)) as cursor:
        tally = cursor.execute(_Q["select_house_tally"]).fetchone()
    assert tally is not None
    return tally


def render_metrics(reads: ConnectionPool[ReadConnection]) -> bytes:
    """The whole page in Prometheus' text format; without the database, what this process knows itself."""
    registry = CollectorRegistry()
    registry.register(_Snapshot(_read_families(reads)))
    return generate_latest(REGISTRY) + generate_latest(registry)


@dataclass(frozen=True, eq=False)
class _Snapshot(Collector):
    families: list[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.families


def _read_families(reads: ConnectionPool[ReadConnection]) -> list[Metric]:
    try:
        with reads.connection(timeout=2) as conn:
            ingest, house = select_ingest_tally(conn), select_house_tally(conn)
    except (psycopg.Error, PoolTimeout):
        _LOG.warning("the metrics page has no database numbers", extra={"event": "metrics_without_database"})
        return [_gauge("millpond_database_up", "Whether the database answered this page.", 0)]
    return [
        _gauge("millpond_database_up", "Whether the database answered this page.", 1),
        *_ingest_families(ingest),
        *_house_families(house),
    ]


def _ingest_families(tally: IngestTally) -> list[Metric]:
    outcomes = CounterMetricFamily(
        "millpond_ingest_readings", "Metric values by what became of them.", labels=["outcome"]
    )
    for outcome in _OUTCOMES:
        outcomes.add_metric([outcome], getattr(tally, outcome))
    return [
        outcomes,
        CounterMetricFamily("millpond_ingest_received", "Metric values that arrived.", value=tally.received),
        CounterMetricFamily("millpond_ingest_messages", "MQTT messages stored or set aside.", value=tally.messages),
        CounterMetricFamily(
            "millpond_ingest_dropped_messages",
            "MQTT messages beyond an allowance of their device: not stored, not acknowledged.",
            value=tally.dropped,
        ),
        _gauge("millpond_ingest_in_flight", "Metric values held in memory, not stored yet.", tally.in_flight),
    ]


def _house_families(tally: HouseTally) -> list[Metric]:
    return [
        _gauge("millpond_devices", "Registered devices.", tally.devices),
        _gauge("millpond_devices_online", "Devices that last said they are online.", tally.online),
        _gauge("millpond_customers", "Customers.", tally.customers),
        _gauge("millpond_offers_open", "Offers that a customer can still accept.", tally.open_offers),
        _gauge("millpond_quarantine_items", "Items in quarantine.", tally.quarantined_items),
        _gauge("millpond_ledger_balance_minor", "Sum of all postings: zero, always.", tally.ledger_balance_minor),
    ]


def _gauge(name: str, meaning: str, value: int) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)
