"""Offers that wait for a customer's answer, with what is told beside them, in one look."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import kwargs_row

from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import CustomerId, OfferId, StaffId, StoreId
from offers.nouns import Offer
from offers.store import make_offer
from offers.triggers.union import needs_by_reason

_Q = load_queries("offers")


@dataclass(frozen=True, slots=True)
class Credit:
    """A staff member and their shop."""

    staff_id: StaffId
    name: str
    store_id: StoreId
    store_name: str


@dataclass(frozen=True, slots=True)
class ShownOffer:
    """An offer with its product's names by language, who is credited, and how its customer is spoken to."""

    offer: Offer
    product: dict[str, str]
    credit: Credit | None
    locale: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class OpenOffer:
    """An offer that waits for an answer. `version` is all that is told of it, as the database writes a row: two offers
    of one version are told alike."""

    offer_id: OfferId
    version: str


def select_open_offers(conn: ReadConnection, customer_id: CustomerId, *, at: datetime) -> list[OpenOffer]:
    """The customer's offers that can be accepted at that moment, and that they agree to be shown, most urgent first."""
    values = {"customer_id": customer_id, "at": at, "needs": needs_by_reason()}
    return [OpenOffer(*row) for row in conn.execute(_Q["select_open_offers"], values, prepare=True)]


def select_shown_offers(conn: ReadConnection, offer_ids: Sequence[str]) -> list[tuple[str, ShownOffer]]:
    """What is told of some offers, whatever became of them, the most urgent first, each after its version."""
    with conn.cursor(row_factory=kwargs_row(_shown)) as cursor:
        return cursor.execute(_Q["select_shown_offers"], {"offer_ids": list(offer_ids)}, prepare=True).fetchall()


def show_open_offers(conn: ReadConnection, customer_id: CustomerId, *, at: datetime) -> list[ShownOffer]:
    """The customer's open offers as `select_open_offers` finds them, with what is told beside them."""
    waiting = select_open_offers(conn, customer_id, at=at)
    return [shown for _, shown in select_shown_offers(conn, [each.offer_id for each in waiting])]


def select_shown_offer(conn: ReadConnection, offer_id: str) -> ShownOffer:
    """One offer that there is, whatever became of it."""
    [(_, shown)] = select_shown_offers(conn, [offer_id])
    return shown


def _shown(
    *,
    version: str,
    product: dict[str, str],
    staff_name: str,
    store_id: StoreId | None,
    store_name: str,
    locale: str,
    time_zone: str,
    **columns: Any,
) -> tuple[str, ShownOffer]:
    """A row's version, and what is told. The names of staff and store are null only where nobody is credited."""
    offer = make_offer(**columns)
    credit = None
    if offer.credited_to is not None and store_id is not None:
        credit = Credit(offer.credited_to, staff_name, store_id, store_name)
    return version, ShownOffer(offer, product, credit, locale, time_zone)
