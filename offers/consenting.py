"""A customer says yes or no to a purpose; what they were offered on the strength of it goes with a no, at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from attribution.moments import lock_customer_at
from customers.audit.entries import record_audit
from customers.consent import Standing, record_consent, select_standings
from customers.nouns import Basis, Purpose
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import Conflict
from millpond.kernel.ids import CustomerId
from offers.life import withdraw_moot_offers


@dataclass(frozen=True, slots=True)
class Telling:
    """How we came to know a word: who wrote it down (`actor`), where it was said, and what proves it."""

    actor: str
    source: str
    evidence: Mapping[str, Any]


def say_consent(
    conn: WriteConnection,
    customer_id: CustomerId,
    purpose: Purpose,
    *,
    given: bool,
    telling: Telling,
    at: datetime,
    version: int | None = None,
) -> datetime:
    """The customer said yes or no to the words of `version`, by default the newest; from when on that counts.

    It waits for whoever decides about the customer at this moment, and takes back what they just offered, too. Raises
    Conflict for a yes to words that are no longer shown, and for a no to what is the account itself.
    """
    with conn.transaction():
        at = lock_customer_at(conn, customer_id, at)
        standing = next(each for each in select_standings(conn, customer_id, at) if each.purpose is purpose)
        _require_sayable(standing, given, version)
        _record(conn, customer_id, standing, given, version, telling, at)
        return at


def withdraw_all_consents(
    conn: WriteConnection, customer_id: CustomerId, *, telling: Telling, at: datetime
) -> datetime:
    """The customer said no to everything but the account itself, also to what they were never asked; since when."""
    with conn.transaction():
        at = lock_customer_at(conn, customer_id, at)
        for standing in select_standings(conn, customer_id, at):
            if standing.basis is not Basis.CONTRACT and standing.given is not False:
                _record(conn, customer_id, standing, False, None, telling, at)
        return at


def object_by_signal(conn: WriteConnection, customer_id: CustomerId, *, at: datetime, actor: str) -> None:
    """Their browser asks every site not to profile them (GPC): kept as a no of who never said a word on that."""
    standings = {each.purpose: each for each in select_standings(conn, customer_id, at)}
    if standings[Purpose.PERSONALISATION].given is None:
        telling = Telling(actor, "gpc", {"header": "Sec-GPC: 1"})
        say_consent(conn, customer_id, Purpose.PERSONALISATION, given=False, telling=telling, at=at)


def _require_sayable(standing: Standing, given: bool, version: int | None) -> None:
    if standing.basis is Basis.CONTRACT and not given:
        raise Conflict(f"{standing.purpose} is the account itself: it ends when the account is erased")
    if given and version is not None and version != standing.version:
        raise Conflict(f"the words of {standing.purpose} have changed: show version {standing.version} and ask again")


def _record(
    conn: WriteConnection,
    customer_id: CustomerId,
    standing: Standing,
    given: bool,
    version: int | None,
    telling: Telling,
    at: datetime,
) -> None:
    version = version or standing.version
    record_consent(
        conn,
        customer_id,
        standing.purpose,
        version=version,
        given=given,
        at=at,
        source=telling.source,
        evidence=telling.evidence,
    )
    if not given:
        withdraw_moot_offers(conn, [customer_id], at=at, actor=telling.actor)
    action = "consent_given" if given else "consent_withdrawn"
    detail = {"purpose": standing.purpose, "version": version, "source": telling.source}
    record_audit(
        conn, actor=telling.actor, action=action, customer_id=customer_id, because="their_wish", detail=detail, at=at
    )
