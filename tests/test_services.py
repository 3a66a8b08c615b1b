"""The running services."""

import socket

import pytest

from millpond.kernel.errors import ConfigurationError
from millpond.services import _listen


def test_answers_are_not_held_back_by_the_kernel() -> None:
    listener = _listen("127.0.0.1", 0)
    with listener:
        # asyncio turns Nagle's algorithm off only where the protocol is named, and it costs 40 ms an answer.
        assert listener.proto == socket.IPPROTO_TCP


def test_an_address_may_be_called_as_soon_as_it_is_told_and_is_given_once() -> None:
    with _listen("127.0.0.1", 0) as listener:
        host, port = listener.getsockname()
        with socket.create_connection((host, port), timeout=1):
            pass
        with pytest.raises(ConfigurationError, match="choose another port"):
            _listen(host, port)
