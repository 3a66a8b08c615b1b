"""Fixtures of the simulators' tests."""

from collections.abc import Iterator

import pytest
from played_platform import PlayedPlatform


@pytest.fixture
def platform(broker_url: str) -> Iterator[PlayedPlatform]:
    played = PlayedPlatform(broker_url)
    yield played
    played.close()
