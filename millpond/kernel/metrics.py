"""Prometheus metrics of one process, on a port of their own."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.registry import Collector


@contextmanager
def metrics_served(port: int, collector: Collector) -> Iterator[None]:
    """Serve `collector` at `/metrics` of `port` while the context lasts; port 0 serves nothing."""
    if port == 0:
        yield
        return
    registry = CollectorRegistry()
    registry.register(collector)
    server, thread = start_http_server(port, registry=registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
