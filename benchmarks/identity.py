"""People who do not exist, what is said of who they are, and how much of it is found; see `--help`."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated

import psutil
import typer

from benchmarks.common import Dsn, Json, NoBroker, Result, fresh_database, run, step, tell, timed
from customers.identifiers import Identifier
from customers.identity.linking import link_identities
from customers.identity.nouns import Claim, Trust
from customers.nouns import Namespace
from millpond.kernel.db import ReadConnection, WriteConnection, connect

_AT = datetime(2026, 3, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_NOBODYS = (Namespace.CARD, "00000000")
_WHO = """
select i.namespace, i.key, p.customer_id from identifier i
join customer_identifier l on l.identifier_id = i.identifier_id and l.valid_until is null
join person p on p.known_as = l.customer_id where i.namespace <> 'anonymous'
"""


@dataclass(frozen=True, slots=True)
class _Person:
    """The truth: all identifiers of one person but what several use."""

    login: Identifier
    names: tuple[Identifier, ...]


def main(
    people: Annotated[int, typer.Option(min=100, help="People who are simulated.")] = 1_000_000,
    batch: Annotated[int, typer.Option(min=1, help="Claims in one transaction.")] = 1_000,
    dsn: Dsn = None,
    broker: NoBroker = None,
    json: Json = False,
) -> None:
    """Microseconds a claim, and how much of the truth is found, in people with several devices, logins and cards.

    **Measured:** `link_identities`, from claims to the commit, for people of whom each has one or two browsers, an
    e-mail, half of them a card that a till knew before they signed in, one in ten a second login (half of these named
    by an alias), one in ten a tablet that four people share, one in fifty a wrong e-mail (of nobody, or of who signed
    in before), and one in fifty a card
    of zeros. `precision` is the share of pairs of identifiers that were tied together and are one person's; `recall`
    the share of one person's pairs that were tied together; `largest` the most people in one customer.

    **Reference:** the same claims again, when they say nothing new. The ratio is what a claim costs the first time
    over that.
    """
    with fresh_database(dsn) as own, connect(own) as conn, step(f"{people:,} people"):
        truth = list(_make_people(people))
        claims, first_s = timed(lambda: _say_all(conn, truth, batch))
        _, again_s = timed(lambda: _say_all(conn, truth, batch))
        figures = _compare(conn, truth) | {
            "seconds": first_s,
            "first_us_per_claim": first_s / claims * 1e6,
            "again_us_per_claim": again_s / claims * 1e6,
            "rss_mb": psutil.Process().memory_info().rss / 1e6,
        }
    sizes = {"people": people, "claims": claims, "batch": batch}
    reference = figures["again_us_per_claim"]
    tell(Result("identity", "first_us_per_claim", "us", figures, reference, "the same again", sizes), as_json=json)


def _make_people(count: int) -> Iterator[_Person]:
    chance = random.Random(7)
    for n in range(count):
        names = [(Namespace.EMAIL, f"k1.{n:064x}")]
        if chance.random() < 0.5:
            names.append((Namespace.CARD, f"M-{n}"))
        if chance.random() < 0.1:
            names.append((Namespace.EXTERNAL, f"old-{n}"))
        yield _Person((Namespace.EXTERNAL, f"login-{n}"), tuple(names))


def _say_all(conn: WriteConnection, people: list[_Person], batch: int) -> int:
    said = 0
    claims = _claims(people)
    while chunk := list(islice(claims, batch)):
        with conn.transaction():
            link_identities(conn, chunk, trust=Trust.SOURCE, at=_AT + 600 * _MINUTE)
        said += len(chunk)
    return said


def _claims(people: list[_Person]) -> Iterator[Claim]:
    chance = random.Random(8)
    for n, person in enumerate(people):
        yield from _right_claims(n, person, chance)
        if chance.random() < 0.1:
            yield Claim((Namespace.ANONYMOUS, f"tablet-{n // 40}"), person.login, "identify", _AT + n % 500 * _MINUTE)
        if chance.random() < 0.02:
            wrong = (Namespace.EMAIL, f"k1.typo-{n}") if n % 5 else people[chance.randrange(n + 1)].names[0]
            yield Claim(wrong, person.login, "identify", _AT + 4 * _MINUTE)
        if chance.random() < 0.02:
            yield Claim(_NOBODYS, person.login, "identify", _AT + 5 * _MINUTE)


def _right_claims(n: int, person: _Person, chance: random.Random) -> Iterator[Claim]:
    """What tills, sign-ins and systems say of one person that is so."""
    email, *others = person.names
    yield from (Claim(name, email, "receipt", _AT) for name in others if name[0] is Namespace.CARD)
    for browser in range(chance.randint(1, 2)):
        yield Claim((Namespace.ANONYMOUS, f"browser-{n}-{browser}"), person.login, "identify", _AT + _MINUTE)
    yield Claim(email, person.login, "identify", _AT + _MINUTE)
    for name in (each for each in others if each[0] is Namespace.EXTERNAL):
        if chance.random() < 0.5:
            yield Claim(name, person.login, "alias", _AT + 2 * _MINUTE)
        else:
            yield Claim((Namespace.ANONYMOUS, f"browser-{n}-0"), name, "identify", _AT + 3 * _MINUTE)


def _compare(conn: ReadConnection, people: list[_Person]) -> dict[str, float]:
    """Pairs of identifiers that were tied together, against those that are one person's."""
    whose = {name: n for n, person in enumerate(people) for name in (person.login, *person.names)}
    found: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for namespace, key, customer_id in conn.execute(_WHO):
        owner = whose.get((Namespace(namespace), key))
        if owner is not None:
            found[customer_id][owner] += 1
    tied = sum(_pairs(sum(owners.values())) for owners in found.values())
    right = sum(_pairs(count) for owners in found.values() for count in owners.values())
    true = sum(_pairs(1 + len(person.names)) for person in people)
    sizes = Counter(sum(owners.values()) for owners in found.values())
    return {
        "precision": right / tied,
        "recall": right / true,
        "largest": max(len(owners) for owners in found.values()),
        **{f"customers_with_{size}": count for size, count in sorted(sizes.items())},
    }


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


if __name__ == "__main__":
    run(main)
