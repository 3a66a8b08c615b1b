"""Waiting, with a limit and a sentence."""

import pytest

from millpond.kernel.errors import Unavailable
from millpond.kernel.waiting import wait_until


def test_waiting_in_vain_ends_with_a_sentence() -> None:
    with pytest.raises(Unavailable, match=r"waited 0\.1 s in vain for the sky to fall"):
        wait_until(lambda: False, "the sky to fall", timeout_s=0.1)


def test_what_is_so_already_is_not_waited_for() -> None:
    assert wait_until(lambda: True, "nothing", timeout_s=0) < 1


def test_it_is_asked_again_until_it_is_so() -> None:
    answers = iter([False, False, True])
    assert wait_until(lambda: next(answers), "the third answer", timeout_s=30, every_s=0.01) >= 0.02
    assert list(answers) == []


def test_what_goes_wrong_while_asking_is_not_waited_out() -> None:
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: 1 / 0, "a number", timeout_s=30)
