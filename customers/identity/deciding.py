"""Which claims are believed, and what follows from them. It is pure: what is to be written comes out."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from customers.identifiers import Identifier
from customers.identity.blocked import is_blocked
from customers.identity.limits import Limits
from customers.identity.nouns import HASHED, USED_BY_SEVERAL, Claim, Refused, Trust
from customers.nouns import Namespace
from millpond.kernel.ids import CustomerId
from millpond.kernel.text import find_fault

_NAMES_TWO_LOGINS = frozenset({"alias", "operator"})
# No link is empty.
_MOMENT = timedelta(microseconds=1)
_NAMED = (Namespace.EXTERNAL, Namespace.CARD)


@dataclass(slots=True)
class Link:
    """An identifier leads to a customer since a moment; `link_id` is None for one that is still to be written."""

    identifier_id: int
    customer_id: CustomerId
    since: datetime
    because: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    link_id: int | None = None
    until: datetime | None = None


@dataclass(slots=True)
class Known:
    """What is known of one identifier: its link in force, and everybody whom it ever led to or was refused to."""

    identifier_id: int
    namespace: Namespace
    key: str
    is_blocked: bool = False
    link: Link | None = None
    people: set[CustomerId] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One claim that was not believed; what is not noted has no id."""

    identifier_id: int | None
    customer_id: CustomerId | None
    because: str
    reason: Refused


@dataclass(frozen=True, slots=True)
class Found:
    """Two customers who were found to be one."""

    absorbed: CustomerId
    survivor: CustomerId
    claim: Claim


@dataclass(slots=True)
class Decided:
    """What is to be written, in this order: customers, ends of links, links, blocks, merges, refusals."""

    opened: list[tuple[CustomerId, str, datetime]] = field(default_factory=list)
    ended: list[Link] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    blocked: list[tuple[Known, Refused, datetime]] = field(default_factory=list)
    merges: list[Found] = field(default_factory=list)
    refused: Counter[Refusal] = field(default_factory=Counter)


def refuse_at_once(claim: Claim, trust: Trust) -> Refused | None:
    """Why a claim is not even looked at, whatever is known: who says it may not, or its values say nothing."""
    sides = [claim.one] if isinstance(claim.other, str) else [claim.one, claim.other]
    namespaces = {namespace for namespace, _ in sides}
    if trust is Trust.PUBLIC and namespaces != {Namespace.ANONYMOUS, Namespace.EXTERNAL}:
        return Refused.NOT_BY_A_PUBLIC_KEY
    if any(not key if namespace in HASHED else is_blocked(key) for namespace, key in sides):
        return Refused.BLOCKED_VALUE
    if len(sides) == 2 and namespaces <= USED_BY_SEVERAL:
        return Refused.PROVES_NOTHING
    return None


class Deciding:
    """Decides claims one after the other, each by what is known and what those before it came to."""

    def __init__(
        self,
        known: Mapping[Identifier, Known],
        persons: Mapping[str, CustomerId],
        held: Counter[tuple[CustomerId, Namespace]],
        limits: Limits,
        *,
        open_customer: Callable[[], CustomerId],
        at: datetime,
    ) -> None:
        """`persons`: whose the ids in claims are now; `held`: how many identifiers of a list each has."""
        self._known, self._held, self._limits = known, held, limits
        self._open_customer, self._at = open_customer, at
        self._led_to = {CustomerId(known_as): now for known_as, now in persons.items() if known_as != now}
        self.decided = Decided()

    def decide(self, claims: Iterable[Claim]) -> Decided:
        """What follows from the claims, in the order in which they were so."""
        for claim in sorted(claims, key=lambda claim: claim.at):
            one = self._known[claim.one]
            other = claim.other if isinstance(claim.other, str) else self._known[claim.other]
            if one.is_blocked or (isinstance(other, Known) and other.is_blocked):
                continue
            if one.namespace in USED_BY_SEVERAL:
                self._use(one, other, claim)
            elif isinstance(other, Known) and other.namespace in USED_BY_SEVERAL:
                self._use(other, one, claim)
            else:
                self._join(one, other, claim)
        return self.decided

    def _use(self, thing: Known, by: Known | CustomerId, claim: Claim) -> None:
        """Something that several may use is now used by somebody."""
        customer_id = self._whose_or_new(by, claim)
        if customer_id is None or self._whose(thing) == customer_id:
            return
        if thing.link is not None and claim.at <= thing.link.since:
            self._refuse(thing, customer_id, claim, Refused.OUT_OF_ORDER)
        elif self._is_one_too_many(thing, customer_id):
            self._block(thing, claim, Refused.SHARED_DEVICE)
        elif not self._has_room(customer_id, thing.namespace):
            self._refuse(thing, customer_id, claim, Refused.TOO_MANY_IDENTIFIERS)
        else:
            self._end(thing, claim.at)
            self._link(thing, customer_id, claim)

    def _join(self, one: Known, other: Known | CustomerId, claim: Claim) -> None:
        """Two names of one person: either leads to whom the other leads to, or two customers were one all along."""
        whose, others = self._whose(one), self._whose(other)
        if whose is None:
            if (owner := self._whose_or_new(other, claim)) is not None:
                self._link_if_room(one, owner, claim)
        elif others is None:
            assert isinstance(other, Known)
            self._link_if_room(other, whose, claim)
        elif whose != others:
            self._merge_if_sure(one, other, whose, others, claim)

    def _merge_if_sure(
        self, one: Known, other: Known | CustomerId, whose: CustomerId, others: CustomerId, claim: Claim
    ) -> None:
        # Two logins may be two people who share a telephone: only who names both logins says that they are one.
        both_sign_in = all(self._held[each, Namespace.EXTERNAL] for each in (whose, others))
        if both_sign_in and claim.because not in _NAMES_TWO_LOGINS:
            self._belongs_to_another(*self._weaker(one, whose, other, others), claim)
        elif any(self._held[whose, n] + self._held[others, n] > self._limits.identifiers_max(n) for n in Namespace):
            self._refuse(one, others, claim, Refused.TOO_MANY_IDENTIFIERS)
        else:
            self._merge(whose, others, claim)

    def _weaker(
        self, one: Known, whose: CustomerId, other: Known | CustomerId, others: CustomerId
    ) -> tuple[Known, CustomerId]:
        """The side of a claim that is in doubt, a login last, and to whom it was said to belong."""
        if isinstance(other, Known) and one.namespace is Namespace.EXTERNAL:
            return other, whose
        return one, others

    def _belongs_to_another(self, thing: Known, customer_id: CustomerId, claim: Claim) -> None:
        if self._is_one_too_many(thing, customer_id):
            self._block(thing, claim, Refused.TOO_MANY_CUSTOMERS)
        else:
            self._refuse(thing, customer_id, claim, Refused.BELONGS_TO_ANOTHER)
            thing.people.add(customer_id)

    def _is_one_too_many(self, thing: Known, customer_id: CustomerId) -> bool:
        if thing.namespace is Namespace.EXTERNAL:  # Whoever claims a login wrongly takes it from nobody.
            return False
        people = {self._now(each) for each in thing.people} | {customer_id}
        return len(people) > self._limits.customers_max(thing.namespace)

    def _has_room(self, customer_id: CustomerId, namespace: Namespace) -> bool:
        return self._held[customer_id, namespace] < self._limits.identifiers_max(namespace)

    def _whose(self, named: Known | CustomerId) -> CustomerId | None:
        if isinstance(named, Known):
            return None if named.link is None else self._now(named.link.customer_id)
        return self._now(named)

    def _whose_or_new(self, named: Known | CustomerId, claim: Claim) -> CustomerId | None:
        """Whose a name is; somebody new's when it is nobody's yet."""
        found = self._whose(named)
        if found is not None or not isinstance(named, Known):
            return found
        opened = self._open_customer()
        named_by = named.key if named.namespace in _NAMED and find_fault(named.key) is None else opened
        self.decided.opened.append((opened, named_by, self._at))
        self._link(named, opened, claim)
        return opened

    def _now(self, customer_id: CustomerId) -> CustomerId:
        while customer_id in self._led_to:
            customer_id = self._led_to[customer_id]
        return customer_id

    def _link_if_room(self, thing: Known, customer_id: CustomerId, claim: Claim) -> None:
        if self._has_room(customer_id, thing.namespace):
            self._link(thing, customer_id, claim)
        else:
            self._refuse(thing, customer_id, claim, Refused.TOO_MANY_IDENTIFIERS)

    def _link(self, thing: Known, customer_id: CustomerId, claim: Claim) -> None:
        thing.link = Link(thing.identifier_id, customer_id, claim.at, claim.because, claim.evidence)
        thing.people.add(customer_id)
        self._held[customer_id, thing.namespace] += 1
        self.decided.links.append(thing.link)

    def _end(self, thing: Known, at: datetime) -> None:
        if thing.link is None:
            return
        thing.link.until = max(at, thing.link.since + _MOMENT)
        self._held[self._now(thing.link.customer_id), thing.namespace] -= 1
        if thing.link.link_id is not None:
            self.decided.ended.append(thing.link)
        thing.link = None

    def _block(self, thing: Known, claim: Claim, reason: Refused) -> None:
        self._end(thing, claim.at)
        thing.is_blocked = True
        self.decided.blocked.append((thing, reason, self._at))
        self._refuse(thing, None, claim, reason)

    def _merge(self, whose: CustomerId, others: CustomerId, claim: Claim) -> None:
        """The one who signs in stays; of two who do, or do not, the second that was named."""
        signs_in = self._held[whose, Namespace.EXTERNAL] and not self._held[others, Namespace.EXTERNAL]
        absorbed, survivor = (others, whose) if signs_in else (whose, others)
        self._led_to[absorbed] = survivor
        for namespace in Namespace:
            self._held[survivor, namespace] += self._held[absorbed, namespace]
        self.decided.merges.append(Found(absorbed, survivor, claim))

    def _refuse(self, thing: Known, customer_id: CustomerId | None, claim: Claim, reason: Refused) -> None:
        self.decided.refused[Refusal(thing.identifier_id, customer_id, claim.because, reason)] += 1
