"""The JSON lines between a test suite and its platform: what is asked is known, and answered as the protocol says."""

from collections.abc import Mapping

import pytest

from millpond.testing import Fleet, Millpond, PlatformError
from millpond.testing.protocol import (
    FleetRequests,
    Now,
    OutcomesRow,
    PartLifeRow,
    PeopleRequests,
    PlatformRequests,
    QuarantinedRow,
    ReadingRow,
    Ready,
    Refusals,
    StaffRow,
    request_names,
)

PARTS = (PlatformRequests, PeopleRequests, FleetRequests)


def has_keys(answer: Mapping[str, object], row: type[Mapping[str, object]]) -> bool:
    """Whether the answer has the keys of the row, less those that it may leave out."""
    required: frozenset[str] = row.__required_keys__  # type: ignore[attr-defined]  # every TypedDict has them
    return required <= set(answer) <= set(row.__annotations__)


def test_every_request_of_the_protocol_is_known_to_the_platform(millpond: Millpond) -> None:
    with pytest.raises(PlatformError, match="request 'make_coffee' is not known: choose from now") as caught:
        millpond.channel.ask("make_coffee")
    known = str(caught.value).partition("choose from ")[2].split(", ")
    assert known == [name for part in PARTS for name in request_names(part)]


def test_answers_have_the_keys_that_the_protocol_says(millpond: Millpond, fleet: Fleet) -> None:
    host = millpond.channel.host
    device = fleet.start("reed-air-2", history_days=1, faults={"malformed": 0.5})
    fleet.advance(hours=12)
    assert has_keys(millpond.channel.description, Ready)
    assert has_keys(host.advance(to=host.now()), Now)
    assert has_keys(host.outcomes(), OutcomesRow)
    assert has_keys(host.refusals(after=0), Refusals)
    assert has_keys(host.new_staff(currency="EUR", time_zone="UTC"), StaffRow)
    assert all(has_keys(row, QuarantinedRow) for row in host.quarantined(serial=device.serial))
    rows = [*host.committed(serial=device.serial), *host.measured(serial=device.serial)]
    assert rows
    assert all(has_keys(row, ReadingRow) for row in rows)
    lives = host.truth(serial=device.serial, days=30)
    assert lives
    assert all(has_keys(row, PartLifeRow) for row in lives)


def test_a_commit_is_counted_when_it_is_made(millpond: Millpond, fleet: Fleet) -> None:
    before = millpond.channel.host.commits()
    fleet.start()
    fleet.advance(days=1)
    assert millpond.channel.host.wait_commit(after=before, timeout_s=30) > before
