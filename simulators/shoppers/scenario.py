"""A town of shoppers as a file: how many, for how long, and how they are known and shop."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import Field

from millpond.kernel.errors import InvalidInput
from millpond.kernel.yaml_file import Strict, read_yaml
from simulators.shoppers.acts import Act
from simulators.shoppers.people import Shares, Shopper, make_shopper
from simulators.shoppers.shelf import Shelf
from simulators.shoppers.visits import Days

_FOLDER = files("simulators.shoppers") / "towns"
Share = Annotated[float, Field(ge=0, le=1)]


class Town(Strict):
    """What a file says; shares are from 0 to 1."""

    title: str
    shows: str = Field(description="What the town is good for, in one sentence.")
    people: int = Field(default=200, ge=1, le=1_000_000)
    days: int = Field(default=60, ge=1, le=3_650)
    accounts: Share = Field(default=0.7, description="Share of people with a login.")
    cards: Share = Field(default=0.4, description="Share of people with a membership card.")
    card_at_till: Share = Field(default=0.7, description="Of purchases in a shop by people with a card: it is shown.")
    shared_tablets: Share = Field(
        default=0.1, description="Share of visits to the site from a tablet that all at home use."
    )
    people_per_household: float = Field(default=2.2, ge=1, le=10)

    @property
    def shares(self) -> Shares:
        """The shares alone."""
        return Shares(**{name: getattr(self, name) for name in asdict(Shares())})


@dataclass(frozen=True)
class Population:
    """The people of a town from `start` on, and all that they do: a function of the town, the shelf and the seed."""

    town: Town
    shelf: Shelf
    start: datetime
    seed: int

    @cached_property
    def shoppers(self) -> list[Shopper]:
        """Everybody, by number."""
        categories, shares = self.shelf.categories, self.town.shares
        return [make_shopper(self.seed, number, categories, shares) for number in range(self.town.people)]

    def days_of(self, shopper: Shopper) -> Iterator[Act]:
        """What one of them does."""
        return Days(self.seed, shopper, self.shelf, self.town.shares, self.start).acts(self.town.days)


def read_town(name: str) -> Town:
    """A town's YAML file, or a shipped one by its name. Raises InvalidInput with one sentence."""
    shipped = shipped_towns()
    if name in shipped:
        return shipped[name]
    try:
        return read_yaml(Town, Path(name).read_text(encoding="utf-8"), name)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"there is no town {name}: give a file, or one of {', '.join(sorted(shipped))}") from error


def shipped_towns() -> dict[str, Town]:
    """The towns that come with Millpond, by name."""
    found = (each for each in _FOLDER.iterdir() if each.name.endswith(".yaml"))
    return {each.name[: -len(".yaml")]: read_yaml(Town, each.read_text(encoding="utf-8"), each.name) for each in found}
