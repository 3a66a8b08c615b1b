"""How a customer stands to each purpose, as they are told: what holds, the words, since when, and what it means."""

from datetime import datetime

from api.models import Out
from customers.consent import Said, Standing, select_standings
from customers.meanings import Meaning, find_meaning, renew_by, tell_meaning
from customers.nouns import Basis, Customer, Purpose
from customers.regions import Region
from customers.sending import find_region
from millpond.kernel.db import ReadConnection
from millpond.kernel.language import name_in


class ConsentOut(Out):
    """One purpose. `words`, what is used and how long are those of now, and `shown` those of `shown_version`: what the
    customer read when they said yes or no (`given`; null: they said nothing) at `since`, by `source`.

    `holds` says whether we may. Where a yes has to be said again for us to send anything, `renew_by` says when.
    """

    purpose: Purpose
    holds: bool
    given: bool | None
    since: datetime | None
    source: str | None
    basis: Basis
    version: int
    words: str
    uses: str | None
    keeps: str | None
    shown_version: int | None
    shown: str | None
    renew_by: datetime | None
    meaning: Meaning
    means: str


class ConsentsOut(Out):
    """All purposes of a customer; `region` is whose rules count where they live."""

    customer_id: str
    region: str
    consents: list[ConsentOut]


class SaidOut(Out):
    """One yes or no that was ever said, with the words it was said to."""

    purpose: Purpose
    given: bool
    at: datetime
    source: str
    version: int
    words: str


def show_consents(conn: ReadConnection, customer: Customer, language: str, at: datetime) -> ConsentsOut:
    """How the customer stands to every purpose at `at`."""
    region = find_region(conn, customer.customer_id)
    told = [_tell(each, region, language, at) for each in select_standings(conn, customer.customer_id, at)]
    return ConsentsOut(customer_id=customer.customer_id, region=region.region, consents=told)


def show_consent(conn: ReadConnection, customer: Customer, purpose: Purpose, language: str, at: datetime) -> ConsentOut:
    """The same of one purpose."""
    return next(each for each in show_consents(conn, customer, language, at).consents if each.purpose is purpose)


def tell_said(said: Said, language: str) -> SaidOut:
    """One line of the history."""
    return SaidOut(
        purpose=said.purpose,
        given=said.given,
        at=said.at,
        source=said.source,
        version=said.version,
        words=name_in(said.words, language),
    )


def _tell(standing: Standing, region: Region, language: str, at: datetime) -> ConsentOut:
    meaning = find_meaning(standing, region, at)
    return ConsentOut(
        purpose=standing.purpose,
        holds=standing.holds,
        given=standing.given,
        since=standing.said_at,
        source=standing.source,
        basis=standing.basis,
        version=standing.version,
        words=name_in(standing.words, language),
        uses=standing.uses and name_in(standing.uses, language),
        keeps=standing.keeps and name_in(standing.keeps, language),
        shown_version=standing.said_version,
        shown=standing.said_words and name_in(standing.said_words, language),
        renew_by=renew_by(standing, region),
        meaning=meaning,
        means=tell_meaning(meaning, language),
    )
