"""What a brand's systems hear of the acts: calls of Segment's tracking API, from each of its sources."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from millpond.kernel.money import Money
from simulators.shoppers.acts import Act, Deed, Order
from simulators.shoppers.people import Channel, Names
from simulators.shoppers.shelf import Article

Call = dict[str, Any]
SOURCES = ("web", "app", "server", "store", "messenger")
"""`web`, `app` are in the hands of shoppers; `server` tells of orders and accounts, `store` of visits to shops."""


def tell(act: Act) -> list[tuple[str, Call]]:
    """The calls that one act makes, each with its source; none for what nobody hears of."""
    if act.deed is Deed.SIGNED_IN:
        return _tell_sign_in(act)
    source = _source(act)
    if source is None:
        return []
    call = {"type": "track", "event": act.deed.value, "properties": _properties(act), "context": _context(act)}
    return [(source, _head(act) | call)]


def _source(act: Act) -> str | None:
    """Who tells of it: orders the server, a shop's till by its file of the day, and a place only who agreed to it."""
    match act.deed:
        case Deed.ORDERED | Deed.RETURNED:
            return None if act.channel is Channel.STORE else "server"
        case Deed.OFFERED if act.showing is not None and not act.showing.shown:
            return None
        case Deed.REVIEWED:
            return "server" if act.signed_in else None
        case Deed.OPENED:
            return "messenger"
        case Deed.ENTERED | Deed.LEFT | Deed.TRIED:
            return "store" if "location" in act.shopper.agrees else None
        case _:
            return act.channel.value


def _tell_sign_in(act: Act) -> list[tuple[str, Call]]:
    """The page or app says who it is now, and the server by which names the account is known."""
    names = act.shopper.names
    said = {"type": "identify", "traits": {"locale": act.shopper.locale}, "context": _context(act)}
    known = {"email": names.email, "phone": names.phone, "card": names.card, "messenger": names.messenger}
    account: Call = {
        "type": "identify",
        "userId": names.login,
        "messageId": f"{act.act_id}-account",
        "timestamp": _text(act.at),
        "traits": {name: value for name, value in known.items() if value},
    }
    return [(act.channel.value, _head(act) | said), ("server", account)]


def _head(act: Act) -> Call:
    names, head = act.shopper.names, {"messageId": act.act_id, "timestamp": _text(act.at)}
    if act.signed_in and names.login is not None:
        head["userId"] = names.login
    return head | {"anonymousId": _anonymous(act, names)}


def _anonymous(act: Act, names: Names) -> str:
    match act.channel:
        case Channel.MESSENGER:
            return names.messenger or names.app
        case Channel.WEB:
            return names.tablet if act.tablet else names.web
        case _:
            return names.app


def _context(act: Act) -> Call:
    shopper = act.shopper
    return {
        "locale": shopper.locale,
        "timezone": shopper.time_zone,
        "sessionId": act.session,
        "library": {"name": "millpond-shoppers", "version": "1"},
    }


def _properties(act: Act) -> Mapping[str, Any]:
    if act.deed in (Deed.ORDERED, Deed.CHECKED_OUT, Deed.RETURNED) and act.order is not None:
        return tell_order(act.order)
    if act.deed in (Deed.ENTERED, Deed.LEFT):
        return {"store_id": act.store}
    if act.deed is Deed.SEARCHED:
        return {"query": act.text}
    if act.deed is Deed.LISTED:
        return {"category": act.text, "list_id": act.text}
    if act.deed is Deed.OPENED:
        return {"message_id": f"news-{act.at:%G-%V}", "medium": "messenger"}
    told: Call = tell_article(act.article) if act.article is not None else {}
    if act.showing is not None:
        told = {"decision_id": act.showing.decision_id, "position": 1, "sku": act.showing.article.sku}
    if act.deed is Deed.REVIEWED:
        told = {"product_id": told["product_id"], "rating": act.rating, "review_body": act.text}
    return told


def tell_article(article: Article, quantity: int = 1) -> Call:
    """An article as Segment's e-commerce specification names its properties."""
    return {
        "product_id": article.sku,
        "sku": article.sku,
        "name": article.title,
        "category": article.category,
        "price": _decimal(article.price_minor, article.currency),
        "currency": article.currency,
        "quantity": quantity,
    }


def tell_order(order: Order) -> Call:
    """An order in the same words; `gift` is ours."""
    told: Call = {
        "order_id": order.order_id,
        "total": _decimal(order.paid_minor, order.article.currency),
        "revenue": _decimal(order.paid_minor, order.article.currency),
        "discount": _decimal(order.discount_minor, order.article.currency),
        "currency": order.article.currency,
        "gift": order.gift,
        "products": [tell_article(order.article, order.quantity)],
    }
    return told | ({"coupon": "SPRING15"} if order.discount_minor else {})


def _decimal(minor: int, currency: str) -> float:
    return float(Money(minor, currency).to_decimal())


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
