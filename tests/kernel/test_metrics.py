"""A process's own metrics page."""

import socket

import httpx
import pytest
from prometheus_client.registry import CollectorRegistry

from millpond.embedded.ports import free_port
from millpond.kernel.errors import ConfigurationError
from millpond.kernel.metrics import metrics_served


def test_metrics_are_served_while_it_lasts() -> None:
    port = free_port()
    with metrics_served("127.0.0.1", port, CollectorRegistry()):
        assert httpx.get(f"http://127.0.0.1:{port}/metrics").status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics")


def test_a_port_that_is_taken_is_named_with_its_variable() -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(ConfigurationError, match=f"MILLPOND_METRICS_PORT: cannot listen on 127.0.0.1:{port}"),
            metrics_served("127.0.0.1", port, CollectorRegistry()),
        ):
            pass


def test_metrics_listen_where_everything_else_does_and_nowhere_more() -> None:
    port = free_port()
    with metrics_served("127.0.0.1", port, CollectorRegistry()), socket.socket() as elsewhere:
        # On all interfaces it would have this address too, and nobody else could take it.
        elsewhere.bind(("127.0.0.2", port))
