"""What a credential is, and what its holder is told once."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# No serial has a tilde, so no device's second name is another one's first.
_SECOND = "~2"


class CredentialKind(StrEnum):
    """By what a device proves itself: a password of ours, or a certificate of an authority that the broker trusts."""

    PASSWORD = "password"
    CERTIFICATE = "certificate"


class EndedBecause(StrEnum):
    """Why a credential is good for nothing any more."""

    REVOKED = "revoked"
    RETIRED = "retired"
    REPLACED = "replaced"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Credential:
    """One of a device's, without any secret. `ended_at` is None while it is good, until it `expires_at`."""

    slot: int
    kind: CredentialKind
    issued_at: datetime
    issued_by: str
    expires_at: datetime | None
    used_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    ended_because: EndedBecause | None


@dataclass(frozen=True, slots=True)
class IssuedCredential:
    """What a device is told once. `password` is None where it proves itself by a certificate that names its serial."""

    serial: str
    slot: int
    username: str
    password: str | None
    issued_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Access:
    """One user that the broker should have for a device. `salt` is None for one with a certificate."""

    device_id: int
    serial: str
    slot: int
    key_id: str | None
    salt: bytes | None


@dataclass(frozen=True, slots=True)
class HubAccount:
    """A hub's user at the broker; `topics` are filters that it reads and writes."""

    name: str
    topics: list[str]
    key_id: str
    salt: bytes
    issued_at: datetime
    issued_by: str


def device_username(serial: str, slot: int) -> str:
    """The serial; for the second of two credentials something is added, since a user has one password."""
    return serial if slot == 1 else serial + _SECOND


def parse_username(username: str) -> tuple[str, int]:
    """The serial and the slot that a user name says."""
    return (username.removesuffix(_SECOND), 2) if username.endswith(_SECOND) else (username, 1)


def password_purpose(serial: str, slot: int) -> str:
    """What a password is derived for: it is good for nothing else."""
    return f"device {serial} {slot}"
