"""What changes in the database is at the broker at once, and whoever lost access is out."""

import threading
from collections.abc import Iterator

import pytest

from devices.credentials.issuing import end_credentials
from devices.credentials.nouns import EndedBecause, IssuedCredential
from millpond.kernel.clock import StillClock
from millpond.kernel.waiting import wait_until
from outward.access.agent import keep_access
from tests.outward.conftest import AT, Guarded


@pytest.fixture
def kept(guarded: Guarded) -> Iterator[Guarded]:
    stop = threading.Event()
    keepers = [threading.Thread(target=keep_access, args=(guarded.settings, StillClock(AT), stop)) for _ in range(2)]
    for keeper in keepers:
        keeper.start()
    yield guarded
    stop.set()
    for keeper in keepers:
        keeper.join()


def let_in(guarded: Guarded, issued: IssuedCredential) -> bool:
    with guarded.client(issued) as device:
        return device.let_in


def test_who_gets_a_credential_is_let_in_and_who_is_revoked_is_out(kept: Guarded) -> None:
    issued = kept.issue("AIR-1")
    wait_until(lambda: let_in(kept, issued), "the device to be let in", timeout_s=60)
    with kept.client(issued) as device:
        end_credentials(kept.conn, kept.device("AIR-1"), at=AT, by="operator:o", because=EndedBecause.REVOKED)
        device.wait(lambda: device.ended)
    assert not let_in(kept, issued)


def test_a_broker_that_was_away_is_told_what_changed_meanwhile(kept: Guarded) -> None:
    first = kept.issue("AIR-1")
    wait_until(lambda: let_in(kept, first), "the device to be let in", timeout_s=60)
    kept.broker.stop()
    second = kept.issue("AIR-2")
    kept.broker.start()
    wait_until(lambda: let_in(kept, second), "the other device to be let in", timeout_s=60)
