"""On which terms messages are read and refused ones kept: what an operator set, in one object."""

from dataclasses import dataclass
from typing import Self

from ingest.formats.format import Formats
from ingest.formats.shipped import FORMATS, known_formats
from ingest.nouns import Keeping, Limits
from millpond.kernel.settings import Settings


@dataclass(frozen=True, slots=True)
class Terms:
    """What devices may say, how much of refused messages is kept, and the formats that are read."""

    limits: Limits
    keeping: Keeping = Keeping()
    formats: Formats = FORMATS

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """As the operator set them."""
        formats = known_formats(settings)
        return cls(Limits.from_settings(settings), Keeping.from_settings(settings), formats)
