"""What one ingest process says of itself to Prometheus."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ingest.broker.session import Session
from ingest.storing.allowance import Allowance
from ingest.writer import Writer


class IngestCollector(Collector):
    """Counts since the process began; received = stored + duplicate + conflict + quarantined + in flight."""

    def __init__(self, writer: Writer, session: Session) -> None:
        self._writer, self._session = writer, session

    def collect(self) -> Iterator[Metric]:
        """One consistent look at the writer's tally, and at the session."""
        tally, in_flight = self._writer.snapshot()
        gaps = self._writer.gaps
        outcomes = CounterMetricFamily("millpond_ingest_readings", "Items by what became of them", labels=["outcome"])
        for outcome in ("stored", "duplicate", "conflict", "quarantined"):
            outcomes.add_metric([outcome], getattr(tally, outcome))
        yield outcomes
        yield CounterMetricFamily("millpond_ingest_received", "Items that came", value=tally.received + in_flight)
        yield CounterMetricFamily(
            "millpond_ingest_retained_passed_over",
            "Duplicates that are values of retained messages without a number and a time",
            value=tally.no_news,
        )
        yield CounterMetricFamily(
            "millpond_ingest_numbers_given_up", "Missing numbers that are waited for no longer", value=gaps.given_up
        )
        yield GaugeMetricFamily("millpond_ingest_in_flight", "Items decoded and not yet committed", value=in_flight)
        yield GaugeMetricFamily(
            "millpond_ingest_messages_waiting", "Messages not yet decoded", value=self._session.inbox.waiting()
        )
        yield GaugeMetricFamily(
            "millpond_ingest_waiting_bytes", "Bytes of these messages", value=self._session.inbox.waiting_bytes()
        )
        yield GaugeMetricFamily("millpond_ingest_connected", "1 while the broker has us", value=self._session.connected)
        yield GaugeMetricFamily("millpond_ingest_epoch", "Connects since the start", value=self._session.epoch)
        yield CounterMetricFamily("millpond_ingest_write_failures", "Failed tries", value=self._writer.failures)
        yield CounterMetricFamily(
            "millpond_ingest_refused_messages", "Messages set aside as refused", value=self._writer.refused
        )
        dropped = CounterMetricFamily(
            "millpond_ingest_dropped_messages", "Messages beyond an allowance of their device", labels=["allowance"]
        )
        for allowance in Allowance:
            dropped.add_metric([allowance], self._writer.drops.by_allowance[allowance])
        yield dropped
