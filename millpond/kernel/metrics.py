"""Prometheus metrics of one process, on a port of their own."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.registry import Collector

from millpond.kernel.errors import ConfigurationError


@contextmanager
def metrics_served(host: str, port: int, collector: Collector) -> Iterator[None]:
    """Serve `collector` at `/metrics` of `host` and `port` while the context lasts; port 0 serves nothing.

    Raises ConfigurationError when somebody listens on the port already.
    """
    if port == 0:
        yield
        return
    registry = CollectorRegistry()
    registry.register(collector)
    try:
        server, thread = start_http_server(port, host, registry=registry)
    except OSError as error:
        why = f"MILLPOND_METRICS_PORT: cannot listen on {host}:{port}: {error.strerror}; choose another port"
        raise ConfigurationError(why) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
