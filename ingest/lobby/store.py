"""One function, one statement: the lobby and its rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg.rows import class_row, kwargs_row

from ingest.lobby.nouns import LobbyRule, LobbyState, Unknown
from ingest.storing.retry_store import KeptMessage
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries

_Q = load_queries("ingest.lobby")
_AFTER_ALL = (datetime(9999, 1, 1, tzinfo=UTC), "")


@dataclass(frozen=True, slots=True)
class LobbyCount:
    """How many unknown devices wait, how many are refused, and what waits of all of them."""

    waiting: int
    refused: int
    messages: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Match:
    """One who waits, and the rule that says what it is."""

    name: str
    rule_id: str
    model: str
    region: str


def select_lobby(
    conn: ReadConnection,
    *,
    state: LobbyState = LobbyState.WAITING,
    search: str = "",
    before: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[Unknown]:
    """Up to `limit` unknown devices after `before` (last_heard_at, name), those heard of last first."""
    before_at, before_name = before or _AFTER_ALL
    values = {"state": state, "search": search, "before_at": before_at, "before_name": before_name, "most": limit}
    with conn.cursor(row_factory=kwargs_row(_unknown)) as cursor:
        return cursor.execute(_Q["select_lobby"], values).fetchall()


def find_unknown(conn: ReadConnection, wanted: str) -> list[Unknown]:
    """Whom an id, a name or an identity may mean; the first is the one, unless two have the same identity."""
    with conn.cursor(row_factory=kwargs_row(_unknown)) as cursor:
        return cursor.execute(_Q["find_unknown"], {"wanted": wanted}).fetchall()


def lock_unknown(conn: WriteConnection, name: str) -> Unknown | None:
    """The unknown device of this name, for this transaction alone."""
    with conn.cursor(row_factory=kwargs_row(_unknown)) as cursor:
        return cursor.execute(_Q["lock_unknown"], {"name": name}).fetchone()


def count_lobby(conn: ReadConnection) -> LobbyCount:
    """How many there are, and what they hold."""
    with conn.cursor(row_factory=class_row(LobbyCount)) as cursor:
        counted = cursor.execute(_Q["count_lobby"]).fetchone()
    assert counted is not None
    return counted


def decide_unknown(conn: WriteConnection, name: str, state: LobbyState, *, at: datetime, by: str) -> None:
    """Say what was decided, and by whom."""
    conn.execute(_Q["decide_unknown"], {"name": name, "state": state, "at": at, "by": by})


def note_trouble(conn: WriteConnection, name: str, trouble: str) -> None:
    """Say why a rule could not admit it: no rule tries again until a new one is made."""
    conn.execute(_Q["note_trouble"], {"name": name, "trouble": trouble})


def delete_unknown(conn: WriteConnection, name: str) -> None:
    """Forget it, and what waited of it."""
    conn.execute(_Q["delete_waiting"], {"name": name})
    conn.execute(_Q["delete_unknown"], {"name": name})


def lock_known(conn: WriteConnection, most: int) -> list[tuple[str, str]]:
    """Those (name, serial) who are registered by now, and whom nobody else is storing at the moment."""
    return conn.execute(_Q["select_known"], {"most": most}).fetchall()


def select_registered(conn: ReadConnection, name: str) -> str | None:
    """The serial of the device that one of the lobby is by now."""
    row = conn.execute(_Q["select_registered"], {"name": name}).fetchone()
    return None if row is None else str(row[0])


def lock_waiting(conn: WriteConnection, name: str, most: int) -> list[KeptMessage]:
    """The oldest messages that wait and that nobody else is storing at the moment."""
    return _select_messages(conn, "lock_waiting", name, most)


def select_newest_waiting(conn: ReadConnection, name: str, most: int) -> list[KeptMessage]:
    """The newest messages that wait."""
    return _select_messages(conn, "select_newest_waiting", name, most)


def _select_messages(conn: ReadConnection, query: str, name: str, most: int) -> list[KeptMessage]:
    with conn.cursor(row_factory=class_row(KeptMessage)) as cursor:
        return cursor.execute(_Q[query], {"name": name, "most": most}).fetchall()


def mark_waiting_stored(conn: WriteConnection, messages: Sequence[KeptMessage], at: datetime) -> None:
    """These are stored after all."""
    conn.execute(_Q["mark_waiting_stored"], {"ids": [one.quarantine_id for one in messages], "at": at})


def mark_waiting_refused(conn: WriteConnection, message: KeptMessage, reason: str) -> None:
    """This one cannot be stored all the same: from now on it is refused for that."""
    conn.execute(_Q["mark_waiting_refused"], {"quarantine_id": message.quarantine_id, "reason": reason})


def count_out(conn: WriteConnection, name: str, at: datetime) -> int:
    """Count again what waits, and say that it is admitted when nothing does; returns how many messages wait."""
    row = conn.execute(_Q["count_out"], {"name": name, "at": at}).fetchone()
    return 0 if row is None else int(row[0])


def insert_rule(conn: WriteConnection, rule: LobbyRule) -> None:
    """Keep a rule; whom no rule could admit is tried again."""
    values = {
        "rule_id": rule.rule_id,
        "format": rule.format,
        "pattern": rule.pattern,
        "model": rule.model,
        "region": rule.region,
        "at": rule.made_at,
        "by": rule.made_by,
    }
    conn.execute(_Q["insert_rule"], values)
    conn.execute(_Q["clear_trouble"])


def select_rules(conn: ReadConnection) -> list[LobbyRule]:
    """All rules, by format and pattern."""
    with conn.cursor(row_factory=class_row(LobbyRule)) as cursor:
        return cursor.execute(_Q["select_rules"]).fetchall()


def delete_rule(conn: WriteConnection, rule_id: str) -> LobbyRule | None:
    """Take a rule away; None when there is none."""
    with conn.cursor(row_factory=class_row(LobbyRule)) as cursor:
        return cursor.execute(_Q["delete_rule"], {"rule_id": rule_id}).fetchone()


def select_matched(conn: ReadConnection, most: int, most_of_rule: int) -> list[Match]:
    """Those who wait and whom a rule matches that has not admitted `most_of_rule` yet."""
    with conn.cursor(row_factory=class_row(Match)) as cursor:
        return cursor.execute(_Q["select_matched"], {"most": most, "most_of_rule": most_of_rule}).fetchall()


def count_rule(conn: WriteConnection, rule_id: str, most_of_rule: int) -> bool:
    """A rule admits one more; False when it has admitted all that it may."""
    return conn.execute(_Q["count_rule"], {"rule_id": rule_id, "most_of_rule": most_of_rule}).rowcount == 1


def _unknown(*, state: str, other_names: list[str], **same: Any) -> Unknown:
    return Unknown(state=LobbyState(state), other_names=tuple(other_names), **same)
