"""The short form of the proof, a fault a test: `pytest -m proof`. `scripts/faults` runs the same with a table."""

from collections.abc import Iterator

import pytest

from proof.capacity import measure_capacity, rate_for
from proof.cli import FAULTS, run_fault
from proof.outcome import Size
from proof.world import World, world

pytestmark = [pytest.mark.proof, pytest.mark.timeout(300)]
SEED = 20_260_301


@pytest.fixture(scope="module")
def stage_world() -> Iterator[World]:
    with world() as made:
        yield made


@pytest.fixture(scope="module")
def size(stage_world: World) -> Size:
    return Size(rate=rate_for(measure_capacity(stage_world, 200, SEED)))


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_lost_and_nothing_counted_twice(name: str, stage_world: World, size: Size) -> None:
    line = run_fault(stage_world, name, size, SEED)
    if line["skipped"]:
        pytest.skip(line["skipped"])
    assert line["ok"], line
