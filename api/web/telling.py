"""Whether a page tells what is done on it, and with which key."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request

from api.edge import get_edge
from customers.nouns import Customer
from events.sources import register_own_pages, select_shown_key
from millpond.kernel.db import ReadConnection
from millpond.kernel.errors import Conflict


@dataclass(frozen=True, slots=True)
class Telling:
    """With which key a page tells, and by which login its customer is known."""

    write_key: str
    login: str | None


def find_telling(request: Request, conn: ReadConnection, customer: Customer, at: datetime) -> Telling | None:
    """For a page that is personalised: who objects, in words or by their browser's signal gets another.

    None where an operator ended the key of our own pages.
    """
    write_key = select_shown_key(conn) or _register(request, at)
    return None if write_key is None else Telling(write_key, customer.external_key)


def _register(request: Request, at: datetime) -> str | None:
    """The key of a new source; None where it was there, and an operator ended its key."""
    with suppress(Conflict), get_edge(request).writes.connection() as conn, conn.transaction():
        return register_own_pages(conn, at=at)
    return None
