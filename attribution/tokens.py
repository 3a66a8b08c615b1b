"""Staff codes: Ed25519-signed tokens."""

from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from attribution.nouns import Staff, StaffCode


@dataclass(frozen=True, slots=True)
class StaffKeys:
    """The pair that signs and verifies staff codes."""

    private: Ed25519PrivateKey
    public: Ed25519PublicKey


def derive_staff_keys(secret: bytes) -> StaffKeys:
    """The key pair for staff codes, by HKDF-SHA256 (RFC 5869) from the platform's secret."""
    raise NotImplementedError


def issue_badge_token(keys: StaffKeys, staff: Staff) -> str:
    """A code to print. It lives until the badge is voided or the person leaves."""
    raise NotImplementedError


def issue_screen_token(keys: StaffKeys, staff: Staff, *, at: datetime) -> str:
    """A code for a screen: 60 seconds, one customer."""
    raise NotImplementedError


def decode_staff_token(keys: StaffKeys, token: str, *, at: datetime) -> StaffCode:
    """The code in a token. Raises InvalidInput when it was not signed by us or has expired."""
    raise NotImplementedError
