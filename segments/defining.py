"""Making a segment: its condition is read, what it needs and names is found out; it is kept if it costs little."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from customers.nouns import Purpose
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import Conflict, InvalidInput
from segments.conditions.compiling import Compiled, compile_condition
from segments.conditions.reading import read_condition
from segments.nouns import Segment
from segments.previewing import Bounds, check_cost
from segments.store import count_own_segments, lock_segments, select_segments, upsert_segment

OWN_SEGMENTS_MAX = 500
_CHAIN_MAX = 8


@dataclass(frozen=True, slots=True)
class Ready:
    """A condition that may be asked: compiled, with all purposes that it and the segments it names need."""

    compiled: Compiled
    needs: frozenset[Purpose]


def prepare_condition(known: Sequence[Segment], said: Any, *, name: str = "") -> Ready:
    """Read and compile it. `known` are the segments that there are, `name` what it will be called.

    Raises InvalidInput for what is wrong, for a segment that is not known, and for segments that name each other.
    """
    compiled = compile_condition(read_condition(said))
    by_name: dict[str, Segment] = {segment.segment_id: segment for segment in known}
    needs = set(compiled.needs)
    for reached in _reach(by_name, compiled.refers, name):
        needs |= set(by_name[reached].needs)
    return Ready(compiled, frozenset(needs))


def _reach(by_name: Mapping[str, Segment], refers: frozenset[str], name: str) -> set[str]:
    """All segments that these lead to; none of them may be the one that is made."""
    reached: set[str] = set()
    ahead, steps = set(refers), 0
    while ahead:
        steps += 1
        if name in ahead:
            raise InvalidInput(f"/: the segment {name} would depend on itself; take out what leads back to it")
        if unknown := sorted(each for each in ahead if each not in by_name):
            raise InvalidInput(f"/: there is no segment {unknown[0]}")
        if steps > _CHAIN_MAX:
            raise InvalidInput(f"/: segments name each other in at most {_CHAIN_MAX} steps")
        reached |= ahead
        ahead = {further for each in ahead for further in by_name[each].refers} - reached
    return reached


def define_segment(
    conn: WriteConnection, segment_id: str, *, title: Mapping[str, str], said: Any, at: datetime, bounds: Bounds
) -> None:
    """Make an operator's segment, or give it another condition, in the caller's transaction.

    Raises InvalidInput for a condition that is wrong or costs too much, and Conflict for the name of one that ships or
    where there are too many. Its members are found by the next refresh.
    """
    lock_segments(conn)
    ready = prepare_condition(select_segments(conn), said, name=segment_id)
    check_cost(conn, ready.compiled, ready.needs, at=at, bounds=bounds)
    if count_own_segments(conn, without=segment_id) >= OWN_SEGMENTS_MAX:
        raise Conflict(f"there are {OWN_SEGMENTS_MAX} segments already; give an old one another condition")
    if not _keep(conn, segment_id, title, said, ready, built_in=False, at=at):
        raise Conflict(f"{segment_id} ships with Millpond; take another name")


def _keep(
    conn: WriteConnection,
    segment_id: str,
    title: Mapping[str, str],
    said: Any,
    ready: Ready,
    *,
    built_in: bool,
    at: datetime,
) -> bool:
    return upsert_segment(
        conn,
        segment_id,
        title=title,
        condition=said,
        needs=ready.needs,
        refers=ready.compiled.refers,
        built_in=built_in,
        at=at,
    )


def keep_shipped(conn: WriteConnection, segment_id: str, *, title: Mapping[str, str], said: Any, at: datetime) -> None:
    """Make or renew a segment that ships; an operator's of the same name stays."""
    ready = prepare_condition(select_segments(conn), said, name=segment_id)
    _keep(conn, segment_id, title, said, ready, built_in=True, at=at)
