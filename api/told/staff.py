"""People who sell, as people are told: themselves, their codes, and what they were paid."""

from datetime import datetime, timedelta

from api.edge import Edge
from api.models import MoneyOut, Out
from api.qr import build_scan_url
from attribution.nouns import Staff
from attribution.tokens import decode_staff_token, issue_badge_token, issue_screen_token


class StaffOut(Out):
    """A person who sells."""

    staff_id: str
    store_id: str
    name: str
    customer_id: str | None
    badge_version: int
    employed_from: datetime
    left_at: datetime | None


class ScreenCode(Out):
    """A code for a screen: one customer, until `expires_at`."""

    token: str
    url: str
    expires_at: datetime | None


class PayoutOut(Out):
    """One payment in one currency; `entry_id` is the ledger's."""

    entry_id: str
    staff_id: str
    amount: MoneyOut
    paid_at: datetime


class PayoutsOut(Out):
    """What was paid just now, one payment per currency."""

    items: list[PayoutOut]


def badge_url(edge: Edge, staff: Staff) -> str:
    """What a printed badge of this person leads to."""
    return build_scan_url(edge.settings.public_url, issue_badge_token(edge.staff_keys, staff))


def issue_screen_code(edge: Edge, staff: Staff, at: datetime) -> ScreenCode:
    """A code of this person for a screen, good from `at` for as long as the settings say."""
    lifetime = timedelta(seconds=edge.settings.screen_code_s)
    token = issue_screen_token(edge.staff_keys, staff, at=at, lifetime=lifetime)
    expires_at = decode_staff_token(edge.staff_keys, token, at=at).expires_at
    return ScreenCode(token=token, url=build_scan_url(edge.settings.public_url, token), expires_at=expires_at)
