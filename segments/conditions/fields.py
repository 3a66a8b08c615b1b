"""The fields of a customer that a condition may ask about: what each means, its type, its SQL and what it needs."""

from dataclasses import dataclass
from enum import StrEnum
from typing import LiteralString

from customers.nouns import Purpose


class Kind(StrEnum):
    """What a field holds, and so which operators and values it takes."""

    NUMBER = "number"
    MONEY = "money"
    WORD = "word"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `sql` is of a row of `c` (customer), `f` (facts) and `v` (value) at `%(at)s`.

    `evidence` names what else of the facts shows why somebody has the value. `{currency}` is the one that is said.
    """

    kind: Kind
    sql: LiteralString
    says: str
    needs: Purpose | None = Purpose.PERSONALISATION
    evidence: tuple[LiteralString, ...] = ()
    values: tuple[str, ...] = ()


_LIFE = ("no_order", "new", "active", "at_risk", "lapsed", "won_back")
_DEVICES = Purpose.DEVICE_PROFILING


def _days_since(column: LiteralString) -> LiteralString:
    return "(extract(epoch from %(at)s::timestamptz - " + column + ")::double precision / 86400)"


def _number(sql: LiteralString, says: str, *evidence: LiteralString) -> Field:
    return Field(Kind.NUMBER, sql, says, evidence=evidence)


FIELDS: dict[str, Field] = {
    "orders": _number("f.orders", "orders that were not given back whole"),
    "refunds": _number("f.refunds", "orders of which money was given back"),
    "days_since_first_order": _number(_days_since("f.first_order_at"), "days since the first order"),
    "days_since_last_order": _number(_days_since("f.last_order_at"), "days since the last order"),
    "days_since_seen": _number(_days_since("f.last_seen_at"), "days since the last event"),
    "cycle_days": _number("f.cycle_days", "days from one order to the next, their own"),
    "cycles_since_last_order": _number(
        _days_since("f.last_order_at") + " / f.cycle_days", "days since the last order, in their own cycles"
    ),
    "spent_minor": Field(Kind.MONEY, "(f.spent ->> {currency})::bigint", "spent in a currency, without refunds"),
    "average_minor": Field(
        Kind.MONEY,
        "case when f.currency = {currency} then f.spent_minor / nullif(f.orders, 0) end",
        "spent for one order, of who mostly pays in the currency",
    ),
    "clv_minor": Field(
        Kind.MONEY,
        "case when v.currency = {currency} then v.clv_minor end",
        "what a customer is expected to be worth in a year",
    ),
    "p_alive": _number("v.p_alive", "how probable it is that they still buy, 0 to 1"),
    "recency_score": _number("f.recency_score", "1 to 5: the fifth that bought last has 5"),
    "frequency_score": _number("f.frequency_score", "1 to 5: the fifth that bought most often has 5"),
    "money_score": _number("f.money_score", "1 to 5: the fifth that spent most has 5, by currency"),
    "life_cycle": Field(Kind.WORD, "f.life_cycle", "where they are, by their own cycle", values=_LIFE),
    "channels": Field(Kind.WORDS, "f.channels", "where they bought", values=("app", "store", "web")),
    "stores": Field(Kind.WORDS, "f.stores", "ids of the stores in which they bought"),
    "categories": Field(Kind.WORDS, "f.categories", "categories of which they bought"),
    "reviews": _number("f.reviews", "reviews that they wrote in a year"),
    "checkouts": _number("f.checkouts", "purchases in a year that events told of"),
    "gifts": _number("f.gifts", "of these, those that were gifts", "f.gift_ids"),
    "season_gifts": _number("f.season_gifts", "of these, gifts in a season of gifts", "f.gift_ids"),
    "gift_ratio": _number("f.gift_ratio", "share of purchases that were gifts, 0 to 1", "f.gift_ids"),
    "discounted_orders": _number("f.discounted_orders", "orders below the price of the day", "f.discounted_ids"),
    "coupons": _number("f.coupons", "purchases in a year with a coupon", "f.coupon_ids"),
    "discount_ratio": _number(
        "f.discount_ratio",
        "share of orders on discount or with a coupon, 0 to 1; the greater one",
        "f.discounted_ids",
        "f.coupon_ids",
    ),
    "new_orders": _number("f.new_orders", "orders with something that had just come out", "f.new_ids"),
    "novelty_ratio": _number("f.novelty_ratio", "share of orders with something new, 0 to 1", "f.new_ids"),
    "models": Field(Kind.WORDS, "f.models", "models of their devices", needs=_DEVICES),
    "devices": Field(Kind.NUMBER, "cardinality(f.models)", "how many models of devices they own", needs=_DEVICES),
    "parts_due": Field(Kind.NUMBER, "f.parts_due", "parts of their devices that are used up soon", needs=_DEVICES),
    "locale": Field(Kind.WORD, "c.locale", "their language, like ko", needs=None),
    "country": Field(Kind.WORD, "c.country", "where they live, two letters, as somebody said", needs=None),
    "time_zone": Field(Kind.WORD, "c.time_zone", "their time zone, like Asia/Seoul", needs=None),
    "days_since_registered": Field(
        Kind.NUMBER, _days_since("c.created_at"), "days since they have an account", needs=None
    ),
}

OPERATORS: dict[Kind, dict[str, LiteralString]] = {
    Kind.NUMBER: {"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="},
    Kind.MONEY: {"<": "<", "<=": "<=", ">": ">", ">=": ">="},
    Kind.WORD: {"=": "=", "!=": "<>", "in": "in"},
    Kind.WORDS: {"has": "has", "has_any": "has_any"},
}
"""By kind of field the operators it takes."""
