"""Languages whose messages are understood only by what others of them described: aliases, units, who uses a topic."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from ingest.nouns import Delivery


@dataclass(frozen=True, slots=True)
class Description:
    """What is to be known under a key; an empty body takes it back. An `owner` may describe so many of them."""

    body: bytes
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Describing:
    """What a language needs to know to read a message, by key, and what the message tells others.

    Both are pure. `describes` has in the delivery's `described` what is known of the keys that it `needs`. It raises
    ValueError when it cannot be read, and is called before the message itself is: of its own words it may be told.
    """

    needs: Callable[[Delivery], Collection[str]]
    describes: Callable[[Delivery], Mapping[str, Description]]
