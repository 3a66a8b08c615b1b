"""How many wrong tries somebody has, and when they are back."""

import pytest

from api.tries import Tries
from millpond.kernel.errors import NotFound, TooManyTries


def be_wrong(tries: Tries, address: str) -> None:
    with pytest.raises(NotFound), tries.counted(address):
        raise NotFound("nothing is given for this")


def wait_of(tries: Tries, address: str) -> float:
    with pytest.raises(TooManyTries) as told, tries.counted(address):
        pass
    return told.value.retry_after_s


def test_tries_grow_back_evenly_and_each_address_has_its_own() -> None:
    now = [0.0]
    tries = Tries(6, 0, now=lambda: now[0])
    for _ in range(6):
        be_wrong(tries, "192.0.2.1")
    be_wrong(tries, "192.0.2.2")
    assert wait_of(tries, "192.0.2.1") == pytest.approx(10)
    now[0] += 10
    be_wrong(tries, "192.0.2.1")
    assert wait_of(tries, "192.0.2.1") == pytest.approx(10)


def test_all_addresses_together_have_a_bound_too() -> None:
    tries = Tries(0, 4, now=lambda: 0.0)
    for n in range(4):
        be_wrong(tries, f"192.0.2.{n}")
    assert wait_of(tries, "192.0.2.9") == pytest.approx(15)


def test_the_addresses_of_one_network_are_one_caller() -> None:
    tries = Tries(2, 0, now=lambda: 0.0)
    be_wrong(tries, "2001:db8::1")
    be_wrong(tries, "2001:db8::2")
    assert wait_of(tries, "2001:db8::3") == pytest.approx(30)
    be_wrong(tries, "2001:db8:0:1::1")


def test_what_breaks_on_our_side_is_no_wrong_try() -> None:
    tries = Tries(1, 1, now=lambda: 0.0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), tries.counted("192.0.2.1"):
            raise ZeroDivisionError
    be_wrong(tries, "192.0.2.1")


def test_tries_without_a_limit_are_never_refused() -> None:
    tries = Tries(0, 0, now=lambda: 0.0)
    for _ in range(9):
        be_wrong(tries, "192.0.2.1")
