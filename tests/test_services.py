"""The running services."""

import socket

from millpond.services import _listen


def test_answers_are_not_held_back_by_the_kernel() -> None:
    listener = _listen("127.0.0.1", 0)
    with listener:
        # asyncio turns Nagle's algorithm off only where the protocol is named, and it costs 40 ms an answer.
        assert listener.proto == socket.IPPROTO_TCP
