"""Linking: what is said of who somebody is becomes links, new customers, merges, or a refusal that is counted."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from psycopg.rows import kwargs_row

from customers.identifiers import Identifier, note_identifiers
from customers.identity.deciding import Decided, Deciding, Known, Link, Refusal, refuse_at_once
from customers.identity.limits import Limits
from customers.identity.merging import merge_found
from customers.identity.nouns import Claim, Linked, Refused, Trust
from customers.identity.writing import count_refused, write_decided
from customers.nouns import Namespace
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.ids import CustomerId, new_id

_Q = load_queries("customers.identity")
_LIMITS = Limits()
_NOBODY = Known(0, Namespace.ANONYMOUS, "")


def link_identities(
    conn: WriteConnection, claims: Sequence[Claim], *, trust: Trust, at: datetime, limits: Limits = _LIMITS
) -> Linked:
    """Believe what may be believed of some claims, in the caller's transaction; what says nothing new costs one look.

    `trust` is of whoever says all of them. A login that nobody knows opens a customer, and so does any other name but
    what several may use. No claim ever raises: one that is not believed is
    counted in `refused_link`.
    """
    refused: Counter[Refusal] = Counter()
    good: list[Claim] = []
    for claim in claims:
        reason = refuse_at_once(claim, trust)
        if reason is None:
            good.append(claim if claim.at <= at else _seen_now(claim, at))
        else:
            refused[Refusal(None, None, claim.because, reason)] += 1
    decided = _decide(conn, good, limits, at) if good else Decided()
    merged = merge_found(conn, decided.merges, by=f"claim:{trust}", at=at)
    count_refused(conn, refused + decided.refused, at=at)
    reasons: Counter[Refused] = Counter()
    for refusal, times in (refused + decided.refused).items():
        reasons[refusal.reason] += times
    return Linked(len(decided.opened), len(decided.links), len(decided.ended), merged, reasons)


def lock_identifiers(conn: WriteConnection, identifier_ids: Iterable[int]) -> None:
    """Until the transaction ends, nobody else decides to whom these lead; nobody waits for these in a circle."""
    conn.execute(_Q["lock_identifiers"], {"identifier_ids": list(identifier_ids)})


def _seen_now(claim: Claim, at: datetime) -> Claim:
    """A clock that is ahead says nothing of the future."""
    return Claim(claim.one, claim.other, claim.because, at, claim.evidence, claim.before)


def _decide(conn: WriteConnection, claims: Sequence[Claim], limits: Limits, at: datetime) -> Decided:
    known, persons = _select_known(conn, claims), _select_persons(conn, claims)
    news = [claim for claim in claims if _says_something(claim, known, persons)]
    if not news:
        return Decided()
    ids = note_identifiers(conn, _named(news), at=at)
    # Behind this lock nobody else decides about the same identifiers, so what is read now stays so.
    lock_identifiers(conn, ids.values())
    _renew(conn, news)
    known, persons = _select_known(conn, news), _select_persons(conn, news)
    _add_people(conn, known)
    held = _count_held(conn, known, persons)
    decided = Deciding(known, persons, held, limits, open_customer=_new_customer, at=at).decide(news)
    write_decided(conn, decided)
    return decided


def _named(claims: Iterable[Claim]) -> set[Identifier]:
    return {side for claim in claims for side in (claim.one, claim.other) if not isinstance(side, str)}


def _says_something(claim: Claim, known: Mapping[Identifier, Known], persons: Mapping[str, CustomerId]) -> bool:
    """Whether a claim is not what is known already, nor about what is blocked."""
    one = known.get(claim.one)
    if isinstance(claim.other, str):
        whose = persons.get(claim.other)
        return whose is not None and not (one and (one.is_blocked or (one.link and one.link.customer_id == whose)))
    other = known.get(claim.other)
    if one is None or other is None:
        return not (one or other or _NOBODY).is_blocked
    if one.is_blocked or other.is_blocked:
        return False
    return one.link is None or other.link is None or one.link.customer_id != other.link.customer_id


def _select_known(conn: ReadConnection, claims: Iterable[Claim]) -> dict[Identifier, Known]:
    named = sorted(_named(claims))
    values = {"namespaces": [namespace for namespace, _ in named], "keys": [key for _, key in named]}
    with conn.cursor(row_factory=kwargs_row(_known)) as cursor:
        found = cursor.execute(_Q["select_known"], values).fetchall()
    return {(known.namespace, known.key): known for known in found}


def _known(
    *,
    namespace: str,
    key: str,
    identifier_id: int,
    is_blocked: bool,
    link_id: int | None,
    customer_id: CustomerId | None,
    valid_from: datetime | None,
) -> Known:
    known = Known(identifier_id, Namespace(namespace), key, is_blocked)
    if customer_id is not None and valid_from is not None:
        known.link = Link(identifier_id, customer_id, valid_from, link_id=link_id)
    return known


def _select_persons(conn: ReadConnection, claims: Iterable[Claim]) -> dict[str, CustomerId]:
    """Whose the customers' ids in claims are now; one that nobody has is missing."""
    named = list({claim.other for claim in claims if isinstance(claim.other, str)})
    return dict(conn.execute(_Q["select_persons"], {"customer_ids": named}).fetchall()) if named else {}


def _add_people(conn: ReadConnection, known: Mapping[Identifier, Known]) -> None:
    """Say of each identifier to whom it leads or led, or was refused."""
    by_id = {each.identifier_id: each for each in known.values()}
    for identifier_id, customer_id in conn.execute(_Q["select_people_of"], {"identifier_ids": list(by_id)}):
        by_id[identifier_id].people.add(customer_id)


def _count_held(
    conn: ReadConnection, known: Mapping[Identifier, Known], persons: Mapping[str, CustomerId]
) -> Counter[tuple[CustomerId, Namespace]]:
    """How many identifiers of each list those have to whom the identifiers lead, and who are named."""
    asked = {each.link.customer_id for each in known.values() if each.link} | set(persons.values())
    rows = conn.execute(_Q["count_held"], {"customer_ids": list(asked)})
    return Counter({(customer_id, Namespace(namespace)): count for customer_id, namespace, count in rows})


def _renew(conn: WriteConnection, claims: Iterable[Claim]) -> None:
    """Let what was known under a key of before be known under that of now."""
    pairs = sorted({(*claim.one, claim.before[1]) for claim in claims if claim.before is not None})
    if pairs:
        namespaces, keys, before = zip(*pairs, strict=True)
        conn.execute(
            _Q["renew_links"], {"namespaces": list(namespaces), "keys": list(keys), "keys_before": list(before)}
        )


def _new_customer() -> CustomerId:
    return CustomerId(new_id("cus"))
