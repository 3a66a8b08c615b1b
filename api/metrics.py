"""The numbers of the metrics page that live in the database, read once for all who ask at the same time."""

import logging
from collections.abc import Iterable

import psycopg
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry
from psycopg_pool import ConnectionPool, PoolTimeout

from api.reads.incoming import IngestTally, select_ingest_tally
from api.reads.totals import Totals, select_totals
from api.shared import Shared
from ingest.lobby.store import count_lobby
from ingest.workbench.alarm import check_rate
from millpond.kernel.clock import Clock
from millpond.kernel.db import ReadConnection

_LOG = logging.getLogger(__name__)
_ANSWERS_WITHIN_S = 2
_OUTCOMES = ("stored", "duplicate", "conflict", "quarantined")


class Figures(Collector):
    """The page's numbers, as a Prometheus collector. What counts whole tables is kept for `keep_s` seconds or longer.

    The tally of ingest is of the moment of asking: who compares it before and after relies on that, and retention
    keeps its table small.
    """

    def __init__(
        self, reads: ConnectionPool[ReadConnection], clock: Clock, *, keep_s: float, alarm_at: int = 0
    ) -> None:
        self._reads, self._clock, self._alarm_at = reads, clock, alarm_at
        self._totals = Shared(self._select_totals, keep_s=keep_s)
        self._families = Shared(self._read_families)
        self._page = Shared(self._render)

    def page(self) -> bytes:
        """The whole page in Prometheus' text format; without the database, what this process knows itself."""
        return self._page.read()

    def totals(self) -> Totals:
        """How much there is of everything but ingest, some seconds old."""
        return self._totals.read()

    def collect(self) -> Iterable[Metric]:
        """What this process counts itself, and what the database knows."""
        yield from REGISTRY.collect()
        yield from self._families.read()

    def _render(self) -> bytes:
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def _select_totals(self) -> Totals:
        with self._reads.connection(timeout=_ANSWERS_WITHIN_S) as conn:
            return select_totals(conn)

    def _read_families(self) -> list[Metric]:
        try:
            with self._reads.connection(timeout=_ANSWERS_WITHIN_S) as conn:
                ingest = select_ingest_tally(conn)
                lobby = count_lobby(conn)
                rate = check_rate(conn, self._alarm_at, self._clock.now())
            totals = self._totals.read()
        except (psycopg.Error, PoolTimeout):
            _LOG.warning("the metrics page has no database numbers", extra={"event": "metrics_without_database"})
            return [_gauge("millpond_database_up", "Whether the database answered this page.", 0)]
        return [
            _gauge("millpond_database_up", "Whether the database answered this page.", 1),
            *_ingest_families(ingest),
            _gauge("millpond_quarantined_last_hour", "Items that were refused in the last hour.", rate.items),
            _gauge("millpond_lobby_waiting", "Unknown devices that wait in the lobby.", lobby.waiting),
            _gauge("millpond_lobby_messages", "Messages of unknown devices that wait.", lobby.messages),
            _gauge("millpond_lobby_bytes", "About what these cost.", lobby.bytes),
            _gauge("millpond_quarantine_alarm", "1 while that is more than is set.", int(rate.is_alarming)),
            *_totals_families(totals),
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


def _totals_families(totals: Totals) -> list[Metric]:
    return [
        _gauge("millpond_devices", "Registered devices.", totals.devices),
        _gauge("millpond_devices_online", "Devices that last said they are online.", totals.online),
        _gauge("millpond_customers", "Customers.", totals.customers),
        _gauge("millpond_offers_open", "Offers that a customer can still accept.", totals.open_offers),
        _gauge("millpond_quarantine_items", "Items in quarantine.", totals.quarantined_items),
        _gauge("millpond_gaps", "Holes in the numbers of devices that are asked for.", totals.gaps),
        _gauge("millpond_devices_with_gaps", "Devices that have such a hole.", totals.devices_with_gaps),
        _gauge("millpond_numbers_given_up", "Numbers given up: what came cannot be read.", totals.numbers_given_up),
        _gauge("millpond_shared_serials", "Serials under which two units were ever noticed.", totals.shared_serials),
        _gauge("millpond_ledger_balance_minor", "Sum of all postings: zero, always.", totals.ledger_balance_minor),
    ]


def _gauge(name: str, meaning: str, value: int) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)
