"""Days of shoppers: when they visit, what they look at, and whether they buy. Every act follows from the seed alone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import exp
from zoneinfo import ZoneInfo

from simulators.life.chance import draw
from simulators.shoppers.acts import Act, Deed, Order, Showing
from simulators.shoppers.people import Channel, Persona, Shares, Shopper
from simulators.shoppers.shelf import Article, Shelf
from simulators.shoppers.words import write_review, write_search

_DAY = timedelta(days=1)
_CHEAPER = 0.15
# Around these days (month, day) people buy for others.
_HOLIDAYS = ((12, 24), (2, 14), (5, 8), (9, 25))
_STORES = ("harbour", "old-town")
_RETURNED, _REVIEWED, _WISHED = 0.08, 0.2, 0.12


@dataclass
class Days:
    """The days of one shopper from `start` on; `bought` says when a category was bought last."""

    seed: int
    shopper: Shopper
    shelf: Shelf
    shares: Shares
    start: datetime
    bought: dict[str, datetime] = field(default_factory=dict)

    def acts(self, days: int) -> Iterator[Act]:
        """What the shopper does, in the order of their visits; what follows a purchase comes right behind it."""
        for day in range(days):
            for channel in Channel:
                if self._luck("visit", day, channel) < 1 - exp(-self.shopper.visits[channel] / 7):
                    yield from _Visit(self, day, channel).acts()

    def need(self, category: str, at: datetime) -> float:
        """How much a category is due, 0 to 1: at its cycle it is 0.5. Nobody's first purchase is due at once."""
        cycle = self.shopper.cycles[category]
        begun = self.start - timedelta(days=cycle * self._luck("begun", category))
        passed = (at - self.bought.get(category, begun)) / _DAY / cycle
        return 1 / (1 + exp(-10 * (passed - 1)))

    def _luck(self, *what: object) -> float:
        return draw(self.seed, "days", self.shopper.number, *what)


class _Visit:
    """One visit: a minute or two between two acts, on one channel, in one session."""

    def __init__(self, days: Days, day: int, channel: Channel) -> None:
        self._days, self._shopper, self._channel = days, days.shopper, channel
        self._name = f"{days.seed}-{days.shopper.number}-{day}-{channel}"
        hour = 9 + 12 * self._luck("hour")
        midnight = (
            (days.start + day * _DAY)
            .astimezone(ZoneInfo(days.shopper.time_zone))
            .replace(hour=0, minute=0, second=0, microsecond=0)
        )
        self._at = midnight + timedelta(hours=hour)
        self._tablet = channel is Channel.WEB and self._luck("tablet") < days.shares.shared_tablets
        has_login = days.shopper.names.login is not None
        self._signed_in = has_login and channel is not Channel.STORE and self._luck("signs in") < 0.6
        self._acts = 0

    def acts(self) -> Iterator[Act]:
        """What is done in this visit."""
        if self._channel is Channel.MESSENGER:
            if self._shopper.names.messenger and "marketing_messenger" in self._shopper.agrees:
                yield self._act(Deed.OPENED)
            return
        category = self._pick_category()
        if self._channel is Channel.STORE:
            yield from self._in_store(category)
        else:
            yield from self._online(category)

    def _online(self, category: str) -> Iterator[Act]:
        if self._signed_in:
            yield self._act(Deed.SIGNED_IN)
        yield self._act(Deed.SEARCHED, text=write_search(self._shopper.locale, category))
        yield self._act(Deed.LISTED, text=category)
        seen = self._look_at(category)
        for article in seen:
            yield self._act(Deed.VIEWED, article=article)
        if not seen:
            return
        article = seen[-1]
        showing = self._show(article)
        if showing is not None and showing.shown:
            yield self._act(Deed.OFFERED, article=article, showing=showing)
            yield self._act(Deed.CLICKED if showing.buys else Deed.DISMISSED, article=article, showing=showing)
        buys = showing.buys if showing else self._luck("buys") < self._chance(article)
        yield from self._buy_online(article, showing) if buys else self._leave(article)
        if showing is not None and not showing.shown:
            # Nobody hears of it: an act without an event, for the truth alone.
            yield self._act(Deed.OFFERED, article=article, showing=showing)

    def _buy_online(self, article: Article, showing: Showing | None) -> Iterator[Act]:
        order = self._order(article, showing, store=None)
        yield self._act(Deed.ADDED, article=article)
        yield self._act(Deed.CHECKED_OUT, article=article, order=order)
        yield self._act(Deed.ORDERED, article=article, order=order)
        yield from self._afterwards(order)

    def _leave(self, article: Article) -> Iterator[Act]:
        if self._luck("wishes") < _WISHED:
            yield self._act(Deed.WISHED, article=article)
        elif self._luck("cart") < 0.15:
            yield self._act(Deed.ADDED, article=article)
            if self._luck("removes") < 0.3:
                yield self._act(Deed.REMOVED, article=article)

    def _in_store(self, category: str) -> Iterator[Act]:
        yield self._act(Deed.ENTERED)
        seen = self._look_at(category)
        if seen:
            yield self._act(Deed.TRIED, article=seen[-1])
            if self._luck("buys") < 1.5 * self._chance(seen[-1]):
                order = self._order(seen[-1], None, store=self._store)
                yield self._act(Deed.ORDERED, article=seen[-1], order=order)
                yield from self._afterwards(order)
        yield self._act(Deed.LEFT)

    def _afterwards(self, order: Order) -> Iterator[Act]:
        if self._luck("returns") < _RETURNED:
            yield self._act(
                Deed.RETURNED, article=order.article, order=order, later=_DAY * (2 + 10 * self._luck("when"))
            )
        elif self._luck("reviews") < _REVIEWED:
            rating = 1 + int(5 * self._luck("stars") ** 0.5)
            text = write_review(self._shopper.locale, rating, self._name)
            later = _DAY * (4 + 12 * self._luck("when"))
            yield self._act(Deed.REVIEWED, article=order.article, text=text, rating=rating, later=later)

    def _order(self, article: Article, showing: Showing | None, store: str | None) -> Order:
        cheaper = showing is not None and showing.shown
        price = article.price_minor
        paid = round(price * (1 - _CHEAPER)) if cheaper else price
        was_due = self._days.need(article.category, self._at) > 0.5
        caused = showing is not None and showing.shown and not showing.buys_without
        self._days.bought[article.category] = self._at
        return Order(
            order_id=f"ord-{self._name}",
            article=article,
            quantity=1,
            paid_minor=paid,
            discount_minor=price - paid,
            gift=self._gift_time() and self._luck("gift") < (0.9 if self._is(Persona.GIFT_BUYER) else 0.15),
            because="offer" if caused else "need" if was_due else "whim",
            store=store,
            shows_card=self._shopper.names.card is not None and self._luck("card") < self._days.shares.card_at_till,
        )

    def _show(self, article: Article) -> Showing | None:
        """An offer for a third of those who look; of these a coin shows half."""
        if self._luck("offer") > 0.33:
            return None
        chance, luck = self._chance(article), self._luck("buys")
        return Showing(
            decision_id=f"dec_sim_{self._name}",
            article=article,
            shown=self._luck("coin") < 0.5,
            buys_without=luck < chance,
            buys_with=luck < min(max(chance + self._shopper.lift, 0), 1),
        )

    def _chance(self, article: Article) -> float:
        """How likely they buy what they look at: need, price against their budget, gifts, and what is new."""
        fits: float = 1 / (1 + (article.price_minor / 5000 / self._shopper.budget) ** 1.5)
        chance = (0.04 + 0.6 * self._days.need(article.category, self._at)) * fits
        if self._is(Persona.GIFT_BUYER):
            chance *= 4 if self._gift_time() else 0.4
        if self._is(Persona.TREND_FOLLOWER) and self._at - article.since < 45 * _DAY:
            chance = 3 * chance + 0.1
        return min(chance, 0.95)

    def _look_at(self, category: str) -> list[Article]:
        """One to four articles of a category that are sold by now, the one that suits best last."""
        sold = [each for each in self._days.shelf.by_category[category] if each.since <= self._at]
        count = 1 + int(4 * self._luck("count"))
        seen = sorted(sold, key=lambda each: draw(self._name, "sees", each.sku))[:count]
        return sorted(seen, key=self._suits)

    def _suits(self, article: Article) -> tuple[float, str]:
        if self._is(Persona.TREND_FOLLOWER):
            return article.since.timestamp(), article.sku
        return -abs(article.price_minor - 5000 * self._shopper.budget), article.sku

    def _pick_category(self) -> str:
        """What they came for: what they like, and what is due."""
        weights = {
            each: taste * (0.2 + 3 * self._days.need(each, self._at)) for each, taste in self._shopper.tastes.items()
        }
        left = self._luck("category") * sum(weights.values())
        for category, weight in weights.items():
            left -= weight
            if left < 0:
                return category
        return category

    def _gift_time(self) -> bool:
        return any(0 <= ((month - self._at.month) * 30 + day - self._at.day) % 360 <= 21 for month, day in _HOLIDAYS)

    def _is(self, persona: Persona) -> bool:
        return self._shopper.persona is persona

    @property
    def _store(self) -> str:
        return _STORES[int(draw(self._days.seed, "store", self._shopper.household) * len(_STORES))]

    def _act(
        self,
        deed: Deed,
        *,
        article: Article | None = None,
        order: Order | None = None,
        showing: Showing | None = None,
        text: str | None = None,
        rating: int | None = None,
        later: timedelta = timedelta(0),
    ) -> Act:
        self._acts += 1
        self._at += timedelta(seconds=20 + 100 * self._luck("pause", self._acts))
        return Act(
            act_id=f"{self._name}-{self._acts}",
            at=self._at + later,
            shopper=self._shopper,
            channel=self._channel,
            session=self._name,
            deed=deed,
            signed_in=self._signed_in,
            tablet=self._tablet,
            store=self._store if self._channel is Channel.STORE else None,
            article=article,
            order=order,
            showing=showing,
            text=text,
            rating=rating,
        )

    def _luck(self, *what: object) -> float:
        return draw(self._name, *what)
