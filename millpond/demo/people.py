"""The people of the demo: two stores, four staff members, and a customer for every household of the fleet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle

from attribution.bindings import binding_at
from attribution.nouns import Staff
from attribution.people import register_staff, register_store, select_staff
from attribution.tokens import StaffKeys
from customers.accounts import register_customer, select_customer_by_key
from customers.nouns import Customer
from devices.registry import register_device
from devices.store import select_device
from millpond.embedded.people import scan_badge
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.ids import CustomerId
from simulators.runs.fleet import Registration

_STORES = (("Millpond Harbour", "Europe/Berlin"), ("Millpond Old Town", "Europe/Berlin"))
_STAFF = ("Mina Park", "Jonas Weber", "Li Wei", "Sara Lindqvist")
# Every third household reads English, Korean or Chinese, in a zone where people do.
_READERS = (("en", "Europe/London"), ("ko", "Asia/Seoul"), ("zh", "Asia/Shanghai"))
_NAMES = {
    "en": (
        "Alex Morgan",
        "Robin Taylor",
        "Sam Carter",
        "Jamie Wilson",
        "Casey Brown",
        "Drew Evans",
        "Nora Hughes",
        "Owen Clarke",
        "Ruth Bennett",
        "Isla Murray",
        "Theo Marsh",
        "Vera Quinn",
    ),
    "ko": (
        "김서연",
        "이도윤",
        "박지우",
        "최하준",
        "정유진",
        "강민서",
        "조은우",
        "윤서현",
        "장태민",
        "임수아",
        "한지호",
        "오나은",
    ),
    "zh": ("王芳", "李伟", "张敏", "刘洋", "陈静", "杨磊", "赵雪", "黄涛", "周琳", "吴昊", "徐丽", "孙鹏"),
}


@dataclass(frozen=True, slots=True)
class People:
    """Who lives in the demo; customers in the order of their households."""

    staff: list[Staff]
    customers: list[Customer]


def register_people(
    conn: WriteConnection, manifest: Sequence[Registration], keys: StaffKeys, *, since: datetime
) -> People:
    """Register stores, staff, households and devices, and let each household scan a badge; safe to repeat."""
    staff = select_staff(conn) or _open_stores(conn, since - timedelta(days=400))
    by_key: dict[str, Customer] = {}
    for row in manifest:
        if row.customer not in by_key:
            by_key[row.customer] = _register_household(conn, row.customer, len(by_key), since)
        _register_device(conn, row, by_key[row.customer])
    for customer, member in zip(by_key.values(), cycle(staff), strict=False):
        if binding_at(conn, customer.customer_id, since) is None:
            scan_badge(conn, keys, member, customer.customer_id, at=since)
    return People(staff, list(by_key.values()))


def credited_to(conn: ReadConnection, people: People, customer_id: CustomerId, at: datetime) -> Staff:
    """The staff member to whom a customer of the demo is bound at `at`; every household has scanned a badge."""
    binding = binding_at(conn, customer_id, at)
    assert binding is not None
    return next(member for member in people.staff if member.staff_id == binding.staff_id)


def _open_stores(conn: WriteConnection, at: datetime) -> list[Staff]:
    stores = [register_store(conn, name=name, currency="EUR", at=at, time_zone=zone) for name, zone in _STORES]
    return [
        register_staff(conn, store_id=store.store_id, name=name, at=at)
        for store, name in zip(cycle(stores), _STAFF, strict=False)
    ]


def _register_household(conn: WriteConnection, key: str, number: int, at: datetime) -> Customer:
    known = select_customer_by_key(conn, key)
    if known is not None:
        return known
    locale, zone = _READERS[number % len(_READERS)]
    names = _NAMES[locale]
    name = names[number // len(_READERS) % len(names)]
    return register_customer(conn, external_key=key, name=name, locale=locale, time_zone=zone, at=at)


def _register_device(conn: WriteConnection, row: Registration, customer: Customer) -> None:
    if select_device(conn, row.serial) is None:
        register_device(
            conn,
            serial=row.serial,
            model=row.model,
            region=row.region,
            customer_id=customer.customer_id,
            installed_at=row.installed_at,
            at=row.installed_at,
        )
