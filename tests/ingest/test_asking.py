"""The same question is put only so often, and what is remembered of it has an end."""

from ingest.asking import Asking
from ingest.nouns import Ask

A, B = Ask("a", b"1"), Ask("b", b"2")


def test_a_topic_is_asked_on_once_in_a_while() -> None:
    asking = Asking(30)
    assert list(asking.due([A, B, A], 100)) == [A, B]
    assert list(asking.due([A, B], 129)) == []
    assert list(asking.due([A], 130)) == [A]
    assert list(asking.due([A, B], 140)) == [B]


def test_only_the_last_topics_are_remembered() -> None:
    asking = Asking(30)
    many = [Ask(f"t{number}", b"") for number in range(10_001)]
    assert list(asking.due([A, *many], 100)) == [A, *many]
    assert list(asking.due([A, many[-1]], 101)) == [A]


def test_nobody_is_asked_by_a_name_that_no_device_can_have() -> None:
    assert list(Asking(30).due([A, Ask("t" * 1_025, b""), B], 100)) == [A, B]
