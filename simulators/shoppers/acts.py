"""What shoppers do: the acts of which days, visits and purchases are made, before anybody has heard of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from simulators.shoppers.people import Channel, Shopper
from simulators.shoppers.shelf import Article


class Deed(StrEnum):
    """What somebody did; in the words of the events that tell it."""

    SIGNED_IN = "Signed In"
    SEARCHED = "Products Searched"
    LISTED = "Product List Viewed"
    VIEWED = "Product Viewed"
    ADDED = "Product Added"
    REMOVED = "Product Removed"
    WISHED = "Product Added to Wishlist"
    CHECKED_OUT = "Checkout Started"
    ORDERED = "Order Completed"
    RETURNED = "Order Refunded"
    REVIEWED = "Product Reviewed"
    SHARED = "Product Shared"
    ENTERED = "Store Entered"
    TRIED = "Product Tried"
    LEFT = "Store Left"
    OPENED = "Message Opened"
    OFFERED = "Offer Shown"
    CLICKED = "Offer Clicked"
    DISMISSED = "Offer Dismissed"


@dataclass(frozen=True, slots=True)
class Order:
    """Something bought. `paid_minor` is for all of it, after `discount_minor`; a `gift` is for somebody else.

    `because` is the truth: `need` (it was due), `offer` (they would not have bought it now without one), `whim`.
    """

    order_id: str
    article: Article
    quantity: int
    paid_minor: int
    discount_minor: int
    gift: bool
    because: str
    store: str | None = None
    shows_card: bool = False


@dataclass(frozen=True, slots=True)
class Showing:
    """An offer that was shown, or by a coin was not, and what the person would have done either way."""

    decision_id: str
    article: Article
    shown: bool
    buys_without: bool
    buys_with: bool

    @property
    def buys(self) -> bool:
        """What they then did."""
        return self.buys_with if self.shown else self.buys_without

    @property
    def effect(self) -> int:
        """What showing changes: 1 a purchase more, -1 one less, 0 nothing."""
        return int(self.buys_with) - int(self.buys_without)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody did. `act_id` is its own for all time; `tablet`: on the one that their household shares.

    `store` is the shop of a visit to one.
    """

    act_id: str
    at: datetime
    shopper: Shopper
    channel: Channel
    session: str
    deed: Deed
    signed_in: bool
    tablet: bool = False
    store: str | None = None
    article: Article | None = None
    order: Order | None = None
    showing: Showing | None = None
    text: str | None = None
    rating: int | None = None
