"""Several processes that share one work: which part of it each has, by a number that everybody computes alike."""

import re
from dataclasses import dataclass
from typing import Self
from zlib import crc32

MOST = 256
_NAME = re.compile(r"(.+)-([1-9]\d*)-of-([1-9]\d*)")


@dataclass(frozen=True, slots=True)
class Shard:
    """The `number`-th of `of` parts, counted from 1."""

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """`2/4`; raises ValueError with a sentence."""
        match = re.fullmatch(r"([1-9]\d{0,2})/([1-9]\d{0,2})", text)
        shard = cls(int(match[1]), int(match[2])) if match else None
        if shard is None or shard.number > shard.of or shard.of > MOST:
            raise ValueError(f"{text!r} is not K/N, the K-th of N parts, such as 2/4, with an N of {MOST} at most")
        return shard

    def takes(self, key: str) -> bool:
        """Whether this part has what goes by `key`; of all parts exactly one has."""
        return crc32(key.encode("utf-8", "replace")) % self.of == self.number - 1

    def name(self, of_all: str) -> str:
        """What this part of a whole is called; the whole itself when it has one part only."""
        return of_all if self.of == 1 else f"{of_all}-{self.number}-of-{self.of}"


def all_names(name: str) -> list[str]:
    """The names of all parts of the whole of which `name` is one."""
    match = _NAME.fullmatch(name)
    if match is None or int(match[3]) > MOST:
        return [name]
    parts = int(match[3])
    return [Shard(number, parts).name(match[1]) for number in range(1, parts + 1)]
