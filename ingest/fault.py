"""Whose fault is a failure, the message's or the database's? No class of error says it; only a comparison does."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg

from ingest.nouns import Delivery
from ingest.storing.batch import StoredBatch

_TRIES = 3
_TRIES_ON_ONE_PROOF = 10
_INNOCENTS = 3


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that failed alone on a database that answers."""

    delivery: Delivery
    error: Exception

    @property
    def reason(self) -> str:
        """What the database said, in one line."""
        primary = self.error.diag.message_primary if isinstance(self.error, psycopg.Error) else None
        return primary or " ".join(str(self.error).split())[:300] or type(self.error).__name__

    @property
    def sqlstate(self) -> str | None:
        """The database's code of the error, where it has one."""
        return self.error.sqlstate if isinstance(self.error, psycopg.Error) else None


@dataclass(frozen=True, slots=True)
class Sifted:
    """What became of a batch that was halved until each message was stored or failed alone.

    `taken` is how many were stored with new readings, `kept` are those that could not be tried: the server went away.
    """

    taken: int = 0
    refused: tuple[Refusal, ...] = ()
    kept: tuple[Delivery, ...] = ()

    def __add__(self, other: "Sifted") -> "Sifted":
        return Sifted(self.taken + other.taken, self.refused + other.refused, self.kept + other.kept)


@dataclass(frozen=True, slots=True)
class Trials:
    """What the writer can try on the database: to store a batch, to write an innocent message in place of another and
    roll it back, and whether it answers at all."""

    store: Callable[[Sequence[Delivery]], StoredBatch]
    takes_innocent: Callable[[Delivery], bool]
    answers: Callable[[], bool]


class FaultFinder:
    """Tells messages that are at fault from a database that is, for one batch and all its tries.

    A failure counts against a message when the same try took something comparable: at least as many other messages
    as failed for its reason, or an innocent message of the same device, metrics and times, which is rolled back. Where
    both have been taken, three failures prove it; where one was, ten; where none was, a failure says nothing.
    """

    def __init__(self, trials: Trials) -> None:
        self._trials = trials
        self._failures: Counter[int] = Counter()
        self._beside_others: set[int] = set()

    def any_innocent_is_taken(self, batch: Sequence[Delivery]) -> bool:
        """Whether the database takes anything like this batch. Others are asked at each try: some may be special."""
        sample = random.sample(batch, min(_INNOCENTS, len(batch)))
        return any(self._trials.takes_innocent(delivery) for delivery in sample)

    def sift(self, batch: Sequence[Delivery]) -> Sifted:
        """Store what goes of a batch, by halves."""
        try:
            stored = self._trials.store(batch)
        except Exception as error:
            if not self._trials.answers():
                return Sifted(kept=tuple(batch))
            if len(batch) == 1:
                return Sifted(refused=(Refusal(batch[0], error),))
            middle = len(batch) // 2
            return self.sift(batch[:middle]) + self.sift(batch[middle:])
        return Sifted(taken=len(batch) if stored.tally.stored else 0)

    def find_guilty(self, sifted: Sifted) -> list[Refusal]:
        """Those refusals of a try by which the message is proven to be at fault."""
        reasons = Counter(refusal.reason for refusal in sifted.refused)
        return [r for r in sifted.refused if self._is_guilty(r, others=sifted.taken >= reasons[r.reason])]

    def _is_guilty(self, refusal: Refusal, *, others: bool) -> bool:
        key, innocent = id(refusal.delivery), self._trials.takes_innocent(refusal.delivery)
        if others:
            self._beside_others.add(key)
        if not others and not innocent:
            return False
        self._failures[key] += 1
        return self._failures[key] >= (_TRIES if innocent and key in self._beside_others else _TRIES_ON_ONE_PROOF)
