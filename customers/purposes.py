"""The purposes and their versions: what ships, and what an operator words for their own customers. None is changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from psycopg.rows import kwargs_row
from psycopg.types.json import Jsonb
from pydantic import Field, model_validator

from customers.nouns import Basis, Purpose
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.errors import InvalidInput
from millpond.kernel.yaml_file import Strict, read_yaml

_Q = load_queries("customers")
_LONGEST = 1_000


class Words(Strict):
    """A text in every language that customers read."""

    en: str = Field(min_length=1, max_length=_LONGEST)
    ko: str = Field(min_length=1, max_length=_LONGEST)
    zh: str = Field(min_length=1, max_length=_LONGEST)


class PurposeEntry(Strict):
    """A version of a purpose as a file has it: what is done, with what of the customer's, and how long that is kept."""

    purpose: Purpose
    version: int = Field(ge=1)
    basis: Basis
    words: Words
    uses: Words
    keeps: Words


class PurposeFile(Strict):
    """Such a file: versions of purposes, each once."""

    purposes: tuple[PurposeEntry, ...]

    @model_validator(mode="after")
    def _each_once(self) -> "PurposeFile":
        keys = [(entry.purpose, entry.version) for entry in self.purposes]
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise ValueError(f"version {twice[0][1]} of {twice[0][0]} is there twice")
        return self


@dataclass(frozen=True, slots=True)
class PurposeVersion:
    """A version as it is kept, in force from `valid_from` on (None: ever since). `uses` and `keeps` are null until
    `millpond migrate` has said them of versions from before there was a place for it.
    """

    purpose: Purpose
    version: int
    basis: Basis
    words: dict[str, str]
    uses: dict[str, str] | None
    keeps: dict[str, str] | None
    valid_from: datetime | None
    own: bool


@cache
def shipped_purposes() -> PurposeFile:
    """What ships."""
    text = (files("customers") / "purposes.yaml").read_text(encoding="utf-8")
    return read_yaml(PurposeFile, text, "purposes.yaml")


def seed_purposes(conn: WriteConnection, *, at: datetime) -> None:
    """Take in what ships, as new versions that hold from `at` on, a first one since ever; safe to repeat.

    A purpose that an operator has worded is left as they want it.
    """
    with conn.transaction():
        values = _values(shipped_purposes().purposes, at, own=False)
        conn.execute(_Q["complete_purposes"], values)
        conn.execute(_Q["insert_purposes"], values)


def load_purposes(conn: WriteConnection, text: str, where: str, *, at: datetime) -> list[tuple[Purpose, int]]:
    """Take in an operator's own versions from the text of a file (`where`), from `at` on; which of them are new.

    Raises InvalidInput for a version that is out with other words, and for one that leaves out a number.
    """
    entries = read_yaml(PurposeFile, text, where).purposes
    with conn.transaction():
        conn.execute(_Q["lock_purposes"])
        _require_following(entries, select_purposes(conn))
        rows = conn.execute(_Q["insert_purposes"], _values(entries, at, own=True)).fetchall()
    return [(Purpose(purpose), version) for purpose, version in rows]


def select_purposes(conn: ReadConnection) -> list[PurposeVersion]:
    """Every version of every purpose, in the order in which they came."""
    with conn.cursor(row_factory=kwargs_row(_version)) as cursor:
        return cursor.execute(_Q["select_purposes"]).fetchall()


def _require_following(entries: Sequence[PurposeEntry], kept: Sequence[PurposeVersion]) -> None:
    told = {(each.purpose, each.version): (each.basis, each.words, each.uses, each.keeps) for each in kept}
    newest = {each.purpose: each.version for each in kept}
    for entry in sorted(entries, key=lambda each: each.version):
        found = told.get((entry.purpose, entry.version))
        meant = (entry.basis, *(words.model_dump() for words in (entry.words, entry.uses, entry.keeps)))
        following = newest.get(entry.purpose, 0) + 1
        if found is not None and found != meant:
            raise InvalidInput(
                f"version {entry.version} of {entry.purpose} stays as it was told: make it version {following}"
            )
        if found is None and entry.version != following:
            raise InvalidInput(f"version {entry.version} of {entry.purpose}: the next one is version {following}")
        newest[entry.purpose] = max(newest.get(entry.purpose, 0), entry.version)


def _values(entries: Sequence[PurposeEntry], at: datetime, *, own: bool) -> dict[str, Any]:
    return {"versions": Jsonb([entry.model_dump(mode="json") for entry in entries]), "at": at, "own": own}


def _version(*, purpose: str, basis: str, **columns: Any) -> PurposeVersion:
    return PurposeVersion(Purpose(purpose), basis=Basis(basis), **columns)
