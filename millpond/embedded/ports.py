"""Local ports: one that is free, and one that is kept while its server is away."""

import socket


def free_port() -> int:
    """A TCP port on the loopback interface that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def hold_port(port: int) -> socket.socket:
    """Keep `port` while its server is away: clients are refused, and nobody else can take it until it is closed."""
    holder = socket.socket()
    # Needed to bind beside connections that are still winding down; without it afterwards nobody listens beside us.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", port))
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    return holder
