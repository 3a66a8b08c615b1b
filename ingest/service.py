"""MQTT to database: collect, store in one transaction, tell the devices, acknowledge to the broker."""

import threading
from collections.abc import Callable

from ingest.broker.session import Session
from ingest.metrics import IngestCollector
from ingest.nouns import Delivery, Tally
from ingest.writer import Writer
from millpond.kernel.clock import Clock
from millpond.kernel.metrics import metrics_served
from millpond.kernel.settings import Settings


def run_ingest(
    settings: Settings,
    session: Session,
    clock: Clock,
    stop: threading.Event,
    *,
    on_commit: Callable[[], None] | None = None,
) -> Tally:
    """Store what the session delivers until `stop` is set; returns what became of it.

    `on_commit` is called after each commit, once the devices and the broker have been told.
    """
    writer = Writer(settings, session, clock, stop, on_commit)
    with metrics_served(settings.http_host, settings.metrics_port, IngestCollector(writer, session)):
        session.start()
        try:
            while not stop.is_set():
                batch = collect_batch(session, settings)
                if batch:
                    writer.store_until_done(batch)
                writer.tend()
        finally:
            session.stop()
            writer.close()
    return writer.snapshot()[0]


def collect_batch(session: Session, settings: Settings) -> list[Delivery]:
    """Deliveries of one lane in arrival order, live ones first; empty when none came in a while."""
    most, most_bytes = settings.batch_max_messages, settings.batch_max_bytes
    batch = session.inbox.take(most, most_bytes, wait_s=0.2)
    if batch and len(batch) < most:
        session.inbox.fill(batch[0].lane, batch, most, most_bytes, settings.batch_max_wait_ms / 1000)
    return batch
