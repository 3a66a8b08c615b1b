"""The people: what each likes and can spend, where they shop, by which names they are known, what they agreed to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from simulators.life.chance import draw, draw_normal
from simulators.shoppers.shelf import CYCLE_DAYS, LONG_CYCLE_DAYS


class Persona(StrEnum):
    """Why somebody buys: for others, when it is cheap, because it is new, or because it is needed."""

    GIFT_BUYER = "gift_buyer"
    VALUE_SEEKER = "value_seeker"
    TREND_FOLLOWER = "trend_follower"
    STEADY = "steady"


class Channel(StrEnum):
    """Where something is done."""

    APP = "app"
    WEB = "web"
    STORE = "store"
    MESSENGER = "messenger"


_PERSONAS = ((Persona.GIFT_BUYER, 0.12), (Persona.VALUE_SEEKER, 0.25), (Persona.TREND_FOLLOWER, 0.15))
_READERS = (("en", "Europe/Berlin", "DE"), ("ko", "Asia/Seoul", "KR"), ("zh", "Asia/Shanghai", "CN"))
# Of a hundred people so many agree to a purpose.
_AGREE = {
    "personalisation": 0.85,
    "device_profiling": 0.8,
    "marketing_app": 0.75,
    "marketing_email": 0.5,
    "marketing_sms": 0.3,
    "marketing_messenger": 0.45,
    "staff_contact": 0.4,
    "location": 0.35,
    "research": 0.3,
}
# How much likelier somebody buys what they need when they are shown an offer for it. Below zero: it puts them off.
_LIFT = {Persona.GIFT_BUYER: 0.05, Persona.VALUE_SEEKER: 0.25, Persona.TREND_FOLLOWER: 0.1, Persona.STEADY: -0.03}


@dataclass(frozen=True, slots=True)
class Names:
    """By what somebody is known: their account, what a browser and an app call them, a card, how one writes to them.

    A name that they do not have is None. `tablet` is an anonymous id that all of their household share.
    """

    login: str | None
    app: str
    web: str
    tablet: str
    card: str | None
    email: str
    phone: str
    messenger: str | None


@dataclass(frozen=True, slots=True)
class Shopper:
    """One person. `budget` is 1 for who buys what costs the middle; `lift` what an offer adds to the chance of buying.

    `tastes` are shares by category, `cycles` days between two purchases, `visits` visits a week by channel.
    """

    number: int
    household: int
    persona: Persona
    locale: str
    time_zone: str
    country: str
    names: Names
    budget: float
    lift: float
    tastes: Mapping[str, float]
    cycles: Mapping[str, float]
    visits: Mapping[Channel, float]
    agrees: frozenset[str]

    @property
    def person(self) -> str:
        """What the truth calls them."""
        return f"person-{self.number:06d}"


@dataclass(frozen=True, slots=True)
class Shares:
    """How a population is: shares from 0 to 1.

    `accounts` have a login, `cards` a membership card; `shared_tablets` of visits to the site are on the household's.
    """

    accounts: float = 0.7
    cards: float = 0.4
    shared_tablets: float = 0.1
    card_at_till: float = 0.7
    people_per_household: float = 2.2


def make_shopper(seed: int, number: int, categories: Sequence[str], shares: Shares) -> Shopper:
    """The shopper with this number: a function of the seed and the number alone."""

    def luck(*what: object) -> float:
        return draw(seed, "shopper", number, *what)

    household = int(number / shares.people_per_household)
    locale, time_zone, country = _READERS[household % len(_READERS)]
    persona = _pick_persona(luck("persona"))
    return Shopper(
        number=number,
        household=household,
        persona=persona,
        locale=locale,
        time_zone=time_zone,
        country=country,
        names=_make_names(seed, number, household, shares),
        budget=float(2 ** (0.6 * draw_normal(seed, "budget", number) - (persona is Persona.VALUE_SEEKER))),
        lift=_LIFT[persona],
        tastes=_make_tastes(seed, number, categories),
        cycles={each: _cycle(seed, number, each) for each in categories},
        visits=_make_visits(seed, number),
        agrees=frozenset(purpose for purpose, share in _AGREE.items() if luck("agrees", purpose) < share),
    )


def _pick_persona(luck: float) -> Persona:
    for persona, share in _PERSONAS:
        if luck < share:
            return persona
        luck -= share
    return Persona.STEADY


def _make_names(seed: int, number: int, household: int, shares: Shares) -> Names:
    def luck(what: str) -> float:
        return draw(seed, "names", number, what)

    return Names(
        login=f"sim-{seed}-{number:06d}" if luck("login") < shares.accounts else None,
        app=f"app-{seed}-{number:06d}",
        web=f"web-{seed}-{number:06d}",
        tablet=f"tablet-{seed}-{household:06d}",
        card=f"7{seed % 1000:03d}{number:08d}" if luck("card") < shares.cards else None,
        email=f"shopper{number}.{seed}@example.com",
        phone=f"+4930{seed % 1000:03d}{number:06d}",
        messenger=f"msg-{seed}-{number:06d}" if luck("messenger") < 0.5 else None,
    )


def _make_tastes(seed: int, number: int, categories: Sequence[str]) -> dict[str, float]:
    """A few categories that somebody likes, and a little of all others."""
    weights = {each: draw(seed, "taste", number, each) ** 6 + 0.002 for each in categories}
    total = sum(weights.values())
    return {each: weight / total for each, weight in weights.items()}


def _cycle(seed: int, number: int, category: str) -> float:
    usual = CYCLE_DAYS.get(category, LONG_CYCLE_DAYS)
    return float(usual * 2 ** (0.4 * draw_normal(seed, "cycle", number, category)))


def _make_visits(seed: int, number: int) -> dict[Channel, float]:
    busy = 2 ** draw_normal(seed, "busy", number)
    share = draw(seed, "online", number)
    return {
        Channel.APP: busy * 0.9 * share,
        Channel.WEB: busy * 0.7 * (1 - share),
        Channel.STORE: 0.25 * (0.4 + draw(seed, "shops", number)),
        Channel.MESSENGER: 0.3,
    }
