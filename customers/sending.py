"""May we send this, now, by this medium? What the customer said, and what the law of where they live adds to it.

Whatever sends asks at the moment of sending, once for each message.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from customers.consent import select_standings
from customers.nouns import Medium, Purpose
from customers.regions import Region, find_country, read_regions, region_of
from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import CustomerId

_Q = load_queries("customers")
NEEDED_TO_SEND = {
    Medium.PUSH: Purpose.MARKETING_APP,
    Medium.EMAIL: Purpose.MARKETING_EMAIL,
    Medium.SMS: Purpose.MARKETING_SMS,
    Medium.MESSENGER: Purpose.MARKETING_MESSENGER,
    Medium.STAFF: Purpose.STAFF_CONTACT,
}
"""What a customer agrees to for each medium."""
MARKETING = frozenset({*NEEDED_TO_SEND.values(), Purpose.MARKETING_NIGHT})
"""The purposes that sending needs, for which a yes may have to be asked for again."""


class Because(StrEnum):
    """Why something may be sent, or not."""

    AGREED = "agreed"
    NOT_AGREED = "not_agreed"
    YES_NEEDED = "yes_needed"
    YES_TOO_OLD = "yes_too_old"
    NIGHT = "night"


@dataclass(frozen=True, slots=True)
class Word:
    """What counts of a purpose: whether it holds by the rule of `consents_in_force`, and when they said yes, if so."""

    holds: bool
    yes_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it may be sent, and why. A yes is good `until` then; a no ends then, or (None) with the customer's word.

    `mark` is how a message that advertises has to begin there.
    """

    allowed: bool
    because: Because
    until: datetime | None
    mark: str | None = None


_SILENCE = Word(holds=False)


def may(
    purpose: Purpose, medium: Medium, at: datetime, region: Region, words: Mapping[Purpose, Word], zone: ZoneInfo
) -> Verdict:
    """Whether something that needs `purpose` may be sent by `medium` at `at` to who said `words` and lives in `region`.

    Pure: the one rule for all that is sent. `zone` is the customer's own.
    """
    word = words.get(purpose, _SILENCE)
    ends = region.yes_ends(word.yes_at)
    if not word.holds:
        return Verdict(False, Because.NOT_AGREED, None)
    if region.yes_to_send and word.yes_at is None:
        return Verdict(False, Because.YES_NEEDED, None)
    if ends is not None and ends <= at:
        return Verdict(False, Because.YES_TOO_OLD, None)
    night = _night_without_a_yes(medium, at, region, words, zone)
    if night is not None and night[0] <= at:
        return Verdict(False, Because.NIGHT, night[1])
    until = min((each for each in (ends, night and night[0]) if each), default=None)
    return Verdict(True, Because.AGREED, until, region.mark)


def _night_without_a_yes(
    medium: Medium, at: datetime, region: Region, words: Mapping[Purpose, Word], zone: ZoneInfo
) -> tuple[datetime, datetime] | None:
    """The night of now, or the next, in which this may not be sent; None where law or customer allows it."""
    night = region.night
    if night is None or medium not in night.media:
        return None
    word = words.get(night.purpose, _SILENCE)
    good_until = region.yes_ends(word.yes_at)
    if word.holds and good_until is None:
        return None
    since = max(at, good_until) if word.holds and good_until else at
    begins, ends = night.next_after(since, zone)
    return max(begins, since), ends


def may_send(conn: ReadConnection, customer_id: CustomerId, medium: Medium, at: datetime) -> Verdict:
    """Whether an offer may be sent to the customer (not a merged one) by this medium at `at`: ask when sending.

    To nobody whom we know nothing of may anything be sent.
    """
    place = conn.execute(_Q["select_residence"], {"customer_id": customer_id}).fetchone()
    if place is None:
        return Verdict(False, Because.NOT_AGREED, None)
    region, zone = region_of(find_country(*place)), ZoneInfo(place[2])
    words = {each.purpose: Word(each.holds, each.yes_at) for each in select_standings(conn, customer_id, at)}
    return may(NEEDED_TO_SEND[medium], medium, at, region, words, zone)


@dataclass(frozen=True, slots=True)
class Renewal:
    """A yes that has to be asked for again: since `ends` it is no longer good for sending, or soon will not be."""

    customer_id: CustomerId
    purpose: Purpose
    said_at: datetime
    ends: datetime
    region: str


def select_renewals(
    conn: ReadConnection, at: datetime, *, within: timedelta, purposes: Collection[Purpose] = MARKETING
) -> list[Renewal]:
    """Whom to ask again: whose yes is too old for where they live, or will be `within` a time, oldest first."""
    shortest = min(region.yes_keeps_days or 10**6 for region in read_regions().values())
    before = at + within - timedelta(days=shortest)
    values = {"purposes": sorted(purposes), "before": before, "at": at}
    renewals = []
    for customer_id, purpose, said_at, country, locale, time_zone in conn.execute(_Q["select_old_yeses"], values):
        region = region_of(find_country(country, locale, time_zone))
        ends = region.yes_ends(said_at)
        if ends is not None and ends <= at + within:
            renewals.append(Renewal(customer_id, Purpose(purpose), said_at, ends, region.region))
    return sorted(renewals, key=lambda each: (each.ends, each.customer_id, each.purpose))


def find_region(conn: ReadConnection, customer_id: CustomerId) -> Region:
    """The region whose rules count for a customer; that of elsewhere for nobody."""
    place = conn.execute(_Q["select_residence"], {"customer_id": customer_id}).fetchone()
    return region_of(find_country(*place) if place else None)
