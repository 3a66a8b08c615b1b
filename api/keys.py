"""The keys that sign and check access tokens: one for each role, so that who may mint one role's may mint no other's.

A role's own secret (`MILLPOND_CUSTOMER_JWT_SECRET` and its like) is its key. Without one its key is derived from
`MILLPOND_JWT_SECRET`, and what that secret signs itself is accepted too, as it always was. During a rotation the
key before is still accepted.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from attribution.tokens import StaffKeys, derive_staff_keys
from millpond.kernel.settings import Settings


class Role(StrEnum):
    """What a caller is to us; it decides what they may see."""

    CUSTOMER = "customer"
    STAFF = "staff"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class TokenKey:
    """One HS256 key of one role; `kid` is its name in a token's header, and tells nothing of it."""

    kid: str
    secret: bytes


@dataclass(frozen=True, slots=True)
class TokenKeys:
    """The keys of each role, the one that signs first; and whom tokens are from and for, where that is set."""

    by_role: Mapping[Role, tuple[TokenKey, ...]]
    issuer: str | None = None
    audience: str | None = None

    def may_have_signed(self, role: Role, kid: str | None) -> list[TokenKey]:
        """The keys of the role, only the one of that name where a token names one."""
        return [key for key in self.by_role[role] if kid is None or key.kid == kid]


def build_token_keys(settings: Settings) -> TokenKeys:
    """The keys that the settings name. Raises ConfigurationError when there is no secret, or a weak one."""
    settings.require("jwt_secret")
    by_role = {role: tuple(_keys_of(settings, role)) for role in Role}
    return TokenKeys(by_role, settings.token_issuer or None, settings.token_audience or None)


def build_staff_keys(settings: Settings) -> StaffKeys:
    """The keys of staff codes: of their own where set, so that a rotation of the tokens' keeps printed badges."""
    current, *before = _badge_secrets(settings)
    return derive_staff_keys(current, older=before)


def _keys_of(settings: Settings, role: Role) -> list[TokenKey]:
    own = _given(getattr(settings, f"{role}_jwt_secret"), getattr(settings, f"{role}_jwt_secret_previous"))
    if own:
        return [_name(secret) for secret in own]
    shared = _given(settings.jwt_secret, settings.jwt_secret_previous)
    return [_name(key) for secret in shared for key in (_derive(secret, role), secret)]


def _badge_secrets(settings: Settings) -> list[bytes]:
    own = _given(settings.badge_secret, settings.badge_secret_previous)
    return own or _given(settings.jwt_secret, settings.jwt_secret_previous)


def _given(current: SecretStr, previous: SecretStr) -> list[bytes]:
    """The two as bytes, as far as they are set; without a current one the previous counts for nothing."""
    if not current.get_secret_value():
        return []
    return [secret.get_secret_value().encode() for secret in (current, previous) if secret.get_secret_value()]


def _derive(secret: bytes, role: Role) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"millpond tokens v1 {role}".encode()).derive(secret)


def _name(secret: bytes) -> TokenKey:
    return TokenKey(hashlib.sha256(b"millpond kid v1\n" + secret).hexdigest()[:12], secret)
