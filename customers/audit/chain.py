"""Is the audit log whole? Every entry has the digest of the one before it, and of itself.

Whoever may write the database can build another chain from any entry on. So an operator notes the head now and then,
outside of it, and verification holds the log against what was noted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from psycopg.rows import class_row, scalar_row

from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.errors import InvalidInput

_Q = load_queries("customers.audit")
# Entries looked at in one statement: some tenths of a second.
_STRETCH = 50_000


class Wrong(StrEnum):
    """How an entry is wrong."""

    CHANGED = "changed"
    MISSING = "missing"
    REORDERED = "reordered"
    CUT_OFF = "cut_off"


@dataclass(frozen=True, slots=True)
class Fault:
    """The first entry that is wrong, how, and that in a sentence."""

    number: int
    wrong: Wrong
    sentence: str


@dataclass(frozen=True, slots=True)
class Noted:
    """An entry's number and digest, as `millpond audit head` prints them and an operator notes them."""

    number: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.number}:{self.digest.hex()}"


@dataclass(frozen=True, slots=True)
class Verified:
    """What verification found: how many entries there are, the head, and the first fault."""

    entries: int
    head: Noted
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class _Head:
    number: int
    digest: bytes
    begins_after: int
    begins_from: bytes


@dataclass(frozen=True, slots=True)
class _Stretch:
    entries: int
    last: int | None
    digest: bytes | None
    wrong: int | None


@dataclass(frozen=True, slots=True)
class _Explained:
    number_before: int | None
    whole: bool
    written_as: int | None


def read_noted(text: str) -> Noted:
    """What an operator noted, as it was printed; raises InvalidInput when it is not that."""
    number, _, digest = text.strip().partition(":")
    try:
        noted = Noted(int(number), bytes.fromhex(digest))
    except ValueError:
        noted = None
    if noted is None or len(noted.digest) != 32:
        raise InvalidInput("a head is NUMBER:DIGEST, as `millpond audit head` prints it")
    return noted


def select_noted(conn: ReadConnection) -> Noted:
    """The head of the chain now."""
    head = _select_head(conn)
    return Noted(head.number, head.digest)


def verify_chain(
    conn: ReadConnection,
    noted: Noted | None = None,
    *,
    on_progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Verified:
    """Walk the chain from its beginning to its head, and hold it against a head that was noted before.

    What is written while it walks is not looked at. The fault that it returns is the first in the order of entries.
    """
    head = _select_head(conn)
    entries, fault = _walk(conn, head, on_progress)
    return Verified(entries, Noted(head.number, head.digest), fault or (_compare(conn, head, noted) if noted else None))


def _walk(conn: ReadConnection, head: _Head, on_progress: Callable[[int, int], None]) -> tuple[int, Fault | None]:
    entries, after, digest = 0, head.begins_after, head.begins_from
    of = head.number - head.begins_after
    while after < head.number:
        upto = min(after + _STRETCH, head.number)
        stretch = _check(conn, after, digest, upto)
        entries += stretch.entries
        if stretch.wrong is not None:
            return entries, _explain(conn, stretch.wrong, after)
        if stretch.last is None or stretch.digest is None or stretch.last < upto:
            return entries, _find_gap(conn, head, stretch.last or after)
        after, digest = stretch.last, stretch.digest
        on_progress(after - head.begins_after, of)
    if digest != head.digest:
        sentence = f"entry {head.number} is not the one that was written last: it was written anew"
        return entries, Fault(head.number, Wrong.CHANGED, sentence)
    return entries, None


def _explain(conn: ReadConnection, number: int, after: int) -> Fault:
    with conn.cursor(row_factory=class_row(_Explained)) as cursor:
        found = cursor.execute(_Q["explain_wrong_entry"], {"number": number}).fetchone()
    assert found is not None
    before = max(found.number_before or 0, after)
    if before != number - 1:
        return _missing(before + 1, number - 1)
    if found.whole:
        sentence = f"entry {number} does not follow entry {before}: one of the two was written anew or put elsewhere"
        return Fault(number, Wrong.REORDERED, sentence)
    if found.written_as is not None:
        sentence = f"entry {number} was written as entry {found.written_as}: entries were put elsewhere"
        return Fault(number, Wrong.REORDERED, sentence)
    return Fault(number, Wrong.CHANGED, f"entry {number} was changed after it was written")


def _find_gap(conn: ReadConnection, head: _Head, last: int) -> Fault:
    """Entries after `last` are missing: all up to the head, or up to the next that is there."""
    rest = _check(conn, last, b"\0" * 32, head.number)
    if rest.wrong is not None:
        return _missing(last + 1, rest.wrong - 1)
    sentence = f"entries {last + 1} to {head.number} are missing: the log was cut off at its end"
    return Fault(last + 1, Wrong.CUT_OFF, sentence)


def _missing(first: int, last: int) -> Fault:
    which = f"entry {first} is" if first == last else f"entries {first} to {last} are"
    return Fault(first, Wrong.MISSING, f"{which} missing")


def _compare(conn: ReadConnection, head: _Head, noted: Noted) -> Fault | None:
    if noted.number > head.number:
        sentence = f"entry {noted.number} was noted and the log ends with {head.number}: it was cut off at its end"
        return Fault(head.number + 1, Wrong.CUT_OFF, sentence)
    if noted.number < head.begins_after:
        return None  # It went by its age, and nothing after it shows its digest.
    if noted.digest != _digest_of(conn, head, noted.number):
        sentence = f"entry {noted.number} is not the one that was noted: the log was written anew up to there"
        return Fault(noted.number, Wrong.CHANGED, sentence)
    return None


def _digest_of(conn: ReadConnection, head: _Head, number: int) -> bytes | None:
    if number == head.begins_after:
        return head.begins_from
    with conn.cursor(row_factory=scalar_row) as cursor:
        digest: bytes | None = cursor.execute(_Q["select_digest"], {"number": number}).fetchone()
    return digest


def _check(conn: ReadConnection, after: int, digest: bytes, upto: int) -> _Stretch:
    with conn.cursor(row_factory=class_row(_Stretch)) as cursor:
        values = {"after": after, "digest": digest, "upto": upto}
        stretch = cursor.execute(_Q["check_entries"], values).fetchone()
    assert stretch is not None
    return stretch


def _select_head(conn: ReadConnection) -> _Head:
    with conn.cursor(row_factory=class_row(_Head)) as cursor:
        head = cursor.execute(_Q["select_head"]).fetchone()
    assert head is not None
    return head
