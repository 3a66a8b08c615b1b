"""The outbox forgets only on a commit-ack, and survives a restart."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millpond.kernel.errors import Conflict
from simulators.wire.outbox import Outbox


def _outbox(count: int, **options: Any) -> Outbox:
    outbox = Outbox(**options)
    outbox.open_boot("b")
    outbox.append("b", [(1000 + number, {"x": number}) for number in range(count)])
    return outbox


def test_numbers_start_at_one_and_rise_by_one() -> None:
    assert [sample.seq for sample in _outbox(4).take(10)] == [1, 2, 3, 4]


def test_sending_forgets_nothing_and_an_acknowledgement_forgets_up_to_its_number() -> None:
    outbox = _outbox(5)
    outbox.take(5)
    assert (len(outbox), outbox.unsent) == (5, 0)
    assert outbox.forget("b", 3) == 3
    assert outbox.held("b", 1, 99) == (4, 5)


def test_an_acknowledgement_of_another_boot_forgets_nothing() -> None:
    outbox = _outbox(5)
    assert outbox.forget("c", 5) == 0
    assert len(outbox) == 5


def test_after_a_rewind_everything_unacknowledged_goes_out_again() -> None:
    outbox = _outbox(5)
    outbox.take(5)
    outbox.forget("b", 2)
    outbox.rewind()
    assert [sample.seq for sample in outbox.take(10)] == [3, 4, 5]


def test_a_restart_keeps_what_was_not_acknowledged_and_sends_the_old_boot_first(tmp_path: Path) -> None:
    before = _outbox(5, path=tmp_path / "outbox")
    sent = before.take(5)
    before.forget("b", 2)
    before.close()
    after = Outbox(tmp_path / "outbox")
    after.open_boot("c")
    after.append("c", [(2000, {"x": 1})])
    assert after.take(10) == sent[2:]
    assert [(sample.boot, sample.seq) for sample in after.take(10)] == [("c", 1)]
    assert after.forget("b", 5) == 3
    after.close()
    again = Outbox(tmp_path / "outbox")
    assert len(again) == 1
    again.close()


def test_a_boot_is_used_once_even_when_nothing_of_it_is_left(tmp_path: Path) -> None:
    outbox = _outbox(1, path=tmp_path / "outbox")
    outbox.forget("b", 1)
    outbox.close()
    reopened = Outbox(tmp_path / "outbox")
    with pytest.raises(Conflict, match="boot 'b' was used before"):
        reopened.open_boot("b")
    reopened.close()


def test_a_full_outbox_gives_up_the_oldest_and_says_so() -> None:
    outbox = _outbox(10, limit=4)
    assert outbox.dropped == 6
    assert outbox.held("b", 1, 10) == (7, 10)
    assert [sample.seq for sample in outbox.take(10)] == [7, 8, 9, 10]


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 5)),
        st.tuples(st.just("take"), st.integers(1, 7)),
        st.tuples(st.just("ack"), st.integers(0, 40)),
        st.tuples(st.just("rewind"), st.just(0)),
    ),
    max_size=40,
)


@given(_STEPS)
def test_whatever_happens_it_holds_exactly_what_was_measured_and_not_acknowledged(steps: list[tuple[str, int]]) -> None:
    outbox, measured, acked = _outbox(0), 0, 0
    received: set[int] = set()

    def append(count: int) -> None:
        nonlocal measured
        outbox.append("b", [(measured + number, {"x": 1}) for number in range(count)])
        measured += count

    def ack(seq: int) -> None:
        nonlocal acked
        outbox.forget("b", seq)
        acked = max(acked, min(seq, measured))

    act: dict[str, Callable[[int], object]] = {
        "append": append,
        "ack": ack,
        "take": lambda most: received.update(sample.seq for sample in outbox.take(most)),
        "rewind": lambda _: outbox.rewind(),
    }
    for step, amount in steps:
        act[step](amount)
        assert len(outbox) == measured - acked
        assert [sample.seq for sample in outbox.samples("b", 0, 999)] == list(range(acked + 1, measured + 1))
    while taken := outbox.take(7):
        received.update(sample.seq for sample in taken)
    assert received | set(range(1, acked + 1)) == set(range(1, measured + 1))
