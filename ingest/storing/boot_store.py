"""One function, one statement: boots of a batch that are not quite like the others."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.plain import BootKey
from millpond.kernel.db import ReadConnection, load_queries

_Q = load_queries("ingest.storing")


@dataclass(frozen=True, slots=True)
class NotableBoots:
    """Serials of boots of which samples were given times, and of boots that are not the live one of their device."""

    with_made_up_times: frozenset[str] = frozenset()
    not_live: frozenset[str] = frozenset()


def select_notable_boots(conn: ReadConnection, boots: Sequence[BootKey]) -> NotableBoots:
    """What there is to note of these boots; of most there is nothing, and that costs one look for all."""
    if not boots:
        return NotableBoots()
    values = {"serials": [serial for serial, _ in boots], "boots": [boot for _, boot in boots]}
    rows = conn.execute(_Q["select_notable_boots"], values).fetchall()
    return NotableBoots(
        frozenset(serial for serial, made_up, _ in rows if made_up),
        frozenset(serial for serial, _, not_live in rows if not_live),
    )
