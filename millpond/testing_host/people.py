"""Fresh people: a staff member in a shop of their own, and a customer who scanned that person's badge."""

import itertools
from datetime import timedelta

from api.auth import Role, sign_token
from api.keys import build_staff_keys, build_token_keys
from attribution.nouns import Staff
from attribution.people import select_staff_member
from customers.accounts import register_customer
from millpond.embedded.people import open_shop, scan_badge
from millpond.kernel.clock import Clock
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput
from millpond.kernel.settings import Settings
from millpond.testing.protocol import CustomerRow, StaffRow

_LIFETIME = timedelta(days=36_500)


class People:
    """Who comes new to the platform, each with a token that lasts."""

    def __init__(self, conn: WriteConnection, clock: Clock, settings: Settings) -> None:
        self._conn, self._clock = conn, clock
        self._token_keys, self._staff_keys = build_token_keys(settings), build_staff_keys(settings)
        self._number = itertools.count(1)

    def mint(self, role: Role, subject: str) -> str:
        """A token for anybody."""
        return sign_token(self._token_keys, role, subject, self._clock.now(), _LIFETIME)

    def new_staff(self, currency: str, time_zone: str) -> StaffRow:
        """A staff member in a new shop."""
        number, at = next(self._number), self._clock.now()
        shop, name = f"Shop {number}", f"Staff {number}"
        staff = open_shop(self._conn, name=shop, staff=name, currency=currency, time_zone=time_zone, at=at)
        token = self.mint(Role.STAFF, staff.staff_id)
        return {"id": staff.staff_id, "name": staff.name, "store_id": staff.store_id, "token": token}

    def new_customer(self, staff_id: str | None, locale: str, time_zone: str) -> CustomerRow:
        """A customer, bound to that staff member when one is named."""
        number, at = next(self._number), self._clock.now()
        customer = register_customer(self._conn, name=f"Customer {number}", locale=locale, time_zone=time_zone, at=at)
        if staff_id is not None:
            scan_badge(self._conn, self._staff_keys, self._staff(staff_id), customer.customer_id, at=at)
        return {
            "id": customer.customer_id,
            "name": customer.name,
            "token": self.mint(Role.CUSTOMER, customer.customer_id),
        }

    def _staff(self, staff_id: str) -> Staff:
        staff = select_staff_member(self._conn, staff_id)
        if staff is None:
            raise InvalidInput(f"there is no staff member {staff_id[:80]}")
        return staff
