"""Fixtures of the simulators' tests."""

from collections.abc import Iterator

import pytest

from tests.simulators.played_platform import PlayedPlatform
from tests.simulators.real_platform import RealPlatform, running_platform


@pytest.fixture
def platform(broker_url: str) -> Iterator[PlayedPlatform]:
    played = PlayedPlatform(broker_url)
    yield played
    played.close()


@pytest.fixture(scope="module")
def real_platform(
    server_dsn: str, template: str, broker_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealPlatform]:
    """A running platform of the module's own."""
    with running_platform(server_dsn, template, broker_url, tmp_path_factory.mktemp("platform")) as running:
        yield running
