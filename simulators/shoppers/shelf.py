"""What simulated shoppers can buy: articles with a price, and since when they are sold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from catalogue.entries import ProductEntry, shipped_catalogue
from simulators.life.chance import draw

# A part is bought again after about so many days; what is not here is bought once in years.
CYCLE_DAYS = {
    "filter": 150,
    "brush": 180,
    "mop": 90,
    "bag": 60,
    "toner": 120,
    "ink": 75,
    "battery": 100,
    "wick": 120,
    "drum": 400,
    "belt": 700,
}
LONG_CYCLE_DAYS = 900


@dataclass(frozen=True, slots=True)
class Article:
    """Something sold; `since` is when it came on the shelf."""

    sku: str
    title: str
    category: str
    price_minor: int
    currency: str
    since: datetime


@dataclass(frozen=True)
class Shelf:
    """All articles, in the order of their SKUs."""

    articles: Sequence[Article]

    @cached_property
    def by_category(self) -> dict[str, list[Article]]:
        """The articles of each category, the cheapest first."""
        found: dict[str, list[Article]] = {}
        for article in sorted(self.articles, key=lambda each: (each.price_minor, each.sku)):
            found.setdefault(article.category, []).append(article)
        return found

    @property
    def categories(self) -> list[str]:
        """Their categories, by name."""
        return sorted(self.by_category)


def make_shelf(products: Iterable[ProductEntry], *, start: datetime, seed: int) -> Shelf:
    """The articles of a catalogue; a fifth of them come on the shelf within the 60 days after `start`."""
    return Shelf([_article(each, start, seed) for each in sorted(products, key=lambda each: each.sku)])


def shipped_shelf(*, start: datetime, seed: int) -> Shelf:
    """The articles of the catalogue that ships."""
    return make_shelf(shipped_catalogue().products, start=start, seed=seed)


def _article(product: ProductEntry, start: datetime, seed: int) -> Article:
    luck = draw(seed, "shelf", product.sku)
    since = start + timedelta(days=60 * draw(seed, "since", product.sku)) if luck < 0.2 else start - timedelta(days=900)
    return Article(product.sku, product.name["en"], product.category, product.price_minor, product.currency, since)
