"""The numbers of plain messages: those of a boot that follow one another are one range, and cost hardly anything."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from ingest.plain import BootKey, PlainMessages
from ingest.sequences.ranges import BootSeqs
from millpond.kernel.arrays import Ints


@dataclass(frozen=True, slots=True)
class Runs:
    """Boots of which one run of numbers came, without a hole: from which to which, both included."""

    boots: list[BootKey]
    from_seqs: Ints
    to_seqs: Ints

    def numbers(self, without: Collection[BootKey]) -> dict[BootKey, BootSeqs]:
        """The numbers one by one, but for boots that are `without`."""
        rows = zip(self.boots, self.from_seqs.tolist(), self.to_seqs.tolist(), strict=True)
        ranges = {boot: range(low, high + 1) for boot, low, high in rows if boot not in without}
        return {boot: BootSeqs(set(numbers), set(numbers)) for boot, numbers in ranges.items()}


_NONE = np.zeros(0, np.int64)


def find_runs(plain: PlainMessages, others: Collection[BootKey]) -> tuple[Runs, dict[BootKey, BootSeqs]]:
    """The runs of the boots that have one, and the numbers of those that have holes or are among `others`."""
    if not len(plain):
        return Runs([], _NONE, _NONE), {}
    order = np.lexsort((plain.seqs, plain.boot_of[plain.message_of]))
    boot_of, seqs = plain.boot_of[plain.message_of][order], plain.seqs[order]
    begins = np.flatnonzero(np.append(True, boot_of[1:] != boot_of[:-1]))
    ends = np.append(begins[1:], len(order))
    # How many holes there are before each number; between two boots that says nothing.
    holes = np.append(0, np.cumsum(seqs[1:] - seqs[:-1] > 1))
    boots = [plain.boots[number] for number in boot_of[begins].tolist()]
    is_run = (holes[ends - 1] == holes[begins]) & np.array([boot not in others for boot in boots], np.bool_)
    runs = Runs(
        [boot for boot, run in zip(boots, is_run.tolist(), strict=True) if run],
        seqs[begins][is_run],
        seqs[ends - 1][is_run],
    )
    scattered = {}
    for number in np.flatnonzero(~is_run).tolist():
        numbers = set(seqs[begins[number] : ends[number]].tolist())
        scattered[boots[number]] = BootSeqs(numbers, set(numbers))
    return runs, scattered
