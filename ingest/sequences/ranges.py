"""Sequence numbers as ranges: what a boot has sent, in the form the database keeps it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from ingest.nouns import Decoded


@dataclass(slots=True)
class BootSeqs:
    """Numbers of one boot in a batch: those received, those of them that readings came of, and ranges (both ends
    included) that the device said are gone."""

    received: set[int] = field(default_factory=set)
    read: set[int] = field(default_factory=set)
    gone: list[tuple[int, int]] = field(default_factory=list)

    def __or__(self, other: "BootSeqs") -> "BootSeqs":
        return BootSeqs(self.received | other.received, self.read | other.read, self.gone + other.gone)


def group_by_boot(batch: Iterable[Decoded]) -> dict[tuple[str, str], BootSeqs]:
    """The sequence numbers of a batch by serial and boot, in key order, so that two writers never deadlock."""
    boots: dict[tuple[str, str], BootSeqs] = {}
    for decoded in batch:
        for key in decoded.seqs:
            boots.setdefault((key.serial, key.boot), BootSeqs()).received.add(key.seq)
        for key in {reading.sample for reading in decoded.readings if reading.sample is not None}:
            boots[key.serial, key.boot].read.add(key.seq)
        if gone := decoded.gone:
            seqs = boots.setdefault((decoded.serial, gone.boot), BootSeqs())
            seqs.gone.append((gone.from_seq, gone.to_seq))
    return dict(sorted(boots.items()))


def format_seqs(seqs: Iterable[int]) -> str:
    """PostgreSQL's multirange text: 1, 2, 3 and 7 are `{[1,4),[7,8)}`."""
    ordered = sorted(seqs)
    if not ordered:
        return "{}"
    starts = [ordered[0]] + [b for a, b in pairwise(ordered) if b > a + 1]
    ends = [a + 1 for a, b in pairwise(ordered) if b > a + 1] + [ordered[-1] + 1]
    return "{" + ",".join(f"[{start},{end})" for start, end in zip(starts, ends, strict=True)) + "}"


def format_ranges(ranges: Iterable[tuple[int, int]]) -> str:
    """The same for ranges with both ends included; PostgreSQL joins those that overlap."""
    return "{" + ",".join(f"[{low},{high + 1})" for low, high in ranges if low <= high) + "}"
