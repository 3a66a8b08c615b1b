"""Credentials of devices, as operators and the devices themselves are told."""

from datetime import datetime
from typing import ClassVar

from api.models import Out


class CredentialOut(Out):
    """One of a device's credentials, without its secret; `ended_at` is null while it is good until it expires."""

    slot: int
    kind: str
    issued_at: datetime
    issued_by: str
    expires_at: datetime | None
    used_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    ended_because: str | None


class CredentialsOut(Out):
    """All credentials of a device that are kept, newest first."""

    items: list[CredentialOut]


class IssuedCredentialOut(Out):
    """What the device signs in with at the broker, told once; no password where it has a certificate."""

    told_once: ClassVar = ("password",)

    serial: str
    slot: int
    username: str
    password: str | None
    issued_at: datetime
    expires_at: datetime | None


class EndedOut(Out):
    """How many credentials ended; the broker disconnects the device."""

    serial: str
    ended: int


class UsedOut(Out):
    """The credential that the device has; any other one of it has ended."""

    serial: str
    slot: int


class ProvisionCodeOut(Out):
    """A code by which the device gets its credential, once; told once."""

    told_once: ClassVar = ("claim_code",)

    serial: str
    claim_code: str | None
    expires_at: datetime
