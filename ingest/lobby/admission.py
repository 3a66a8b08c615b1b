"""Use cases: an operator, or a rule that one made, says what an unknown device is, or that it is not wanted."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from devices.aliases import alias_device, select_devices_by_alias
from devices.nouns import Device
from devices.registry import register_device
from devices.store import select_device
from ingest.lobby.known import Stored, store_waiting
from ingest.lobby.nouns import LobbyRule, LobbyState, Unknown
from ingest.lobby.store import (
    count_rule,
    decide_unknown,
    delete_rule,
    delete_unknown,
    find_unknown,
    insert_rule,
    lock_unknown,
    note_trouble,
    select_matched,
    select_registered,
)
from ingest.storing.terms import Terms
from millpond.kernel.db import ReadConnection, Refusals, WriteConnection, refusing
from millpond.kernel.errors import Conflict, InvalidInput, MillpondError, NotFound
from millpond.kernel.ids import CustomerId, new_id

_NOT_OF_A_SERIAL = re.compile(r"[^A-Za-z0-9._:-]+")
_SERIAL_MAX = 64
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class As:
    """What an unknown device is. Without `serial` it gets one from what it is called; without `installed_at` it is
    taken to have been installed when it was first heard of."""

    model: str
    serial: str | None = None
    region: str = ""
    customer_id: CustomerId | None = None
    installed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """The device that it is now, what was stored of it at once, and how many messages ingest stores next."""

    device: Device
    stored: Stored = field(default_factory=Stored)
    waiting: int = 0


def admit_unknown(conn: WriteConnection, wanted: str, what: As, terms: Terms, *, at: datetime, by: str) -> Admitted:
    """Register who waits (by id, name or identity), and store what waited as if it had just come; safe to repeat.

    Where the format has names of its own, `serial` may be that of a device that is there: then this is what the format
    calls it. The first messages are stored at once, the others soon by ingest. Within the caller's transaction.
    Raises NotFound, InvalidInput or Conflict.
    """
    unknown = _lock(conn, wanted)
    device = _register(conn, unknown, what, at=at, by=by)
    if unknown.state is not LobbyState.ADMITTED:
        decide_unknown(conn, unknown.name, LobbyState.WAITING, at=at, by=by)
    stored = store_waiting(conn, unknown.name, device.serial, terms, at=at)
    return Admitted(device, stored, _lock(conn, unknown.name).messages)


def _register(conn: WriteConnection, unknown: Unknown, what: As, *, at: datetime, by: str) -> Device:
    known = select_registered(conn, unknown.name)
    serial = known or what.serial or suggest_serial(unknown)
    if (known and what.serial not in (None, known)) or (unknown.by_serial and serial != unknown.identity):
        raise Conflict(f"{unknown.name} is the serial {known or unknown.identity}: leave the serial out")
    device = select_device(conn, serial)
    if device is not None and not known and what.serial is None:
        raise Conflict(
            f"serial {serial} is another device already: name it as the serial if this is it, else a new one"
        )
    if device is None:
        device = register_device(
            conn,
            serial=serial,
            model=what.model,
            region=what.region,
            customer_id=what.customer_id,
            installed_at=what.installed_at or min(unknown.first_heard_at, at),
            at=at,
            granted_by=by,
        )
    if device.model != what.model:
        raise Conflict(f"serial {serial} is registered as a {device.model}, not as a {what.model}")
    _name(conn, device, unknown, at)
    return device


def _name(conn: WriteConnection, device: Device, unknown: Unknown, at: datetime) -> None:
    """Let all that its format calls it stand for the device; a name that is another's already stays so."""
    if unknown.by_serial:
        return
    alias_device(conn, device.device_id, format_name=unknown.format, external_id=unknown.identity, at=at)
    others = unknown.other_names
    taken = select_devices_by_alias(conn, unknown.format, others) if others else {}
    for name in others:
        if name not in taken:
            alias_device(conn, device.device_id, format_name=unknown.format, external_id=name, at=at)


def suggest_serial(unknown: Unknown) -> str:
    """The serial that it gets when nobody names one: what it is called, in the characters that a topic takes."""
    if unknown.by_serial:
        return unknown.identity
    plain = _NOT_OF_A_SERIAL.sub("-", unknown.identity).strip("-")
    return (plain or unknown.lobby_id)[:_SERIAL_MAX]


def refuse_unknown(conn: WriteConnection, wanted: str, *, at: datetime, by: str) -> Unknown:
    """Keep nothing more of who waits, only count it; what waits of it stays until its time is over.

    Raises NotFound, Conflict when it is registered by now.
    """
    unknown = _lock(conn, wanted)
    if select_registered(conn, unknown.name):
        raise Conflict(f"{unknown.name} is registered: what it sends is stored")
    if unknown.state is not LobbyState.REFUSED:
        decide_unknown(conn, unknown.name, LobbyState.REFUSED, at=at, by=by)
    return _lock(conn, unknown.name)


def forget_unknown(conn: WriteConnection, wanted: str) -> Unknown:
    """Delete who waits or was refused, and what waited of it; if it speaks again it waits anew. Raises NotFound."""
    unknown = _lock(conn, wanted)
    delete_unknown(conn, unknown.name)
    return unknown


def require_unknown(conn: ReadConnection, wanted: str) -> Unknown:
    """The one whom an id, a name or an identity means; NotFound when there is none, Conflict when there are two."""
    found = find_unknown(conn, wanted.replace("\x00", ""))
    if not found:
        raise NotFound(f"nobody in the lobby is {wanted[:_SHOWN]!r}")
    first, *others = found
    if others and wanted not in (first.lobby_id, first.name):
        raise Conflict(f"{first.name} and {others[0].name} are called so: say which")
    return first


def _lock(conn: WriteConnection, wanted: str) -> Unknown:
    unknown = lock_unknown(conn, require_unknown(conn, wanted).name)
    if unknown is None:
        raise NotFound(f"nobody in the lobby is {wanted[:_SHOWN]!r}")
    return unknown


def make_rule(
    conn: WriteConnection, *, format_name: str, pattern: str, model: str, region: str, at: datetime, by: str
) -> LobbyRule:
    """From now on admit whoever a format calls so. Raises InvalidInput, Conflict when there is such a rule."""
    if "\x00" in pattern:
        raise InvalidInput("a pattern is text without NUL")
    rule = LobbyRule(new_id("rule"), format_name, pattern, model, region, at, by)
    refusals: Refusals = {
        "lobby_rule_once": partial(Conflict, f"there is a rule for {format_name} {pattern[:_SHOWN]!r} already"),
        "lobby_rule_names_a_model": partial(
            InvalidInput, f"model {model[:_SHOWN]} is not known: add its profile first"
        ),
        "lobby_rule_says_its_format": partial(InvalidInput, f"format {format_name[:_SHOWN]!r} is none"),
        "lobby_rule_fits": partial(InvalidInput, "a pattern has 1 to 256 characters"),
    }
    with refusing(conn, refusals):
        insert_rule(conn, rule)
    return rule


def end_rule(conn: WriteConnection, rule_id: str) -> LobbyRule:
    """Admit nobody by this rule any more; returns what it was. Raises NotFound."""
    rule = delete_rule(conn, rule_id.replace("\x00", ""))
    if rule is None:
        raise NotFound(f"there is no rule {rule_id[:_SHOWN]!r}")
    return rule


def admit_by_rules(conn: WriteConnection, *, at: datetime, most_of_rule: int, most: int = 100) -> int:
    """Register those who wait and whom a rule matches, `most_of_rule` by each rule in all; how many now.

    What waits of them is stored like that of all who are registered by now.
    """
    admitted = 0
    for match in select_matched(conn, most, most_of_rule):
        by = f"rule:{match.rule_id}"
        try:
            with conn.transaction():
                unknown = _lock(conn, match.name)
                # Another ingest may have decided meanwhile.
                if unknown.decided_at is None and count_rule(conn, match.rule_id, most_of_rule):
                    _register(conn, unknown, As(match.model, region=match.region), at=at, by=by)
                    decide_unknown(conn, unknown.name, unknown.state, at=at, by=by)
                    admitted += 1
        except MillpondError as error:
            note_trouble(conn, match.name, str(error))
    return admitted
