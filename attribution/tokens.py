"""Staff codes: signed tokens that a customer scans.

Ed25519 (RFC 8032) in a JWT. The key pair is derived from a secret of its own or, so that one is enough to run, from the
platform's; the public half can be handed out without handing out the right to issue.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from attribution.binding_nouns import CodeKind, StaffCode
from attribution.nouns import Staff
from millpond.kernel.errors import InvalidInput
from millpond.kernel.ids import StaffId

SCREEN_LIFE = timedelta(seconds=60)
# The label keeps these keys apart from anything else that is ever derived from the same secret.
_LABEL = b"millpond staff codes v1"
_AUDIENCE = "millpond-staff-code"
_REQUIRED = {CodeKind.BADGE: ("sub", "ver"), CodeKind.SCREEN: ("sub", "exp", "jti")}


@dataclass(frozen=True, slots=True)
class StaffKeys:
    """The pair that signs and verifies staff codes, and public halves of pairs before whose codes are still good."""

    private: Ed25519PrivateKey
    public: Ed25519PublicKey
    older: tuple[Ed25519PublicKey, ...] = ()


def derive_staff_keys(secret: bytes, older: Sequence[bytes] = ()) -> StaffKeys:
    """The key pair for staff codes, by HKDF-SHA256 (RFC 5869) from a secret; codes of the `older` secrets hold too."""
    private = _derive(secret)
    return StaffKeys(private, private.public_key(), tuple(_derive(each).public_key() for each in older))


def _derive(secret: bytes) -> Ed25519PrivateKey:
    seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=_LABEL).derive(secret)
    return Ed25519PrivateKey.from_private_bytes(seed)


def issue_badge_token(keys: StaffKeys, staff: Staff) -> str:
    """A code to print. It lives until the badge is voided or the person leaves."""
    return _sign(keys, {"typ": CodeKind.BADGE, "sub": staff.staff_id, "ver": staff.badge_version})


def issue_screen_token(keys: StaffKeys, staff: Staff, *, at: datetime, lifetime: timedelta = SCREEN_LIFE) -> str:
    """A code for a screen: 60 seconds, one customer."""
    nonce = secrets.token_urlsafe(12)
    expires = int((at + lifetime).timestamp())
    return _sign(keys, {"typ": CodeKind.SCREEN, "sub": staff.staff_id, "exp": expires, "jti": nonce})


def decode_staff_token(keys: StaffKeys, token: str, *, at: datetime) -> StaffCode:
    """The code in a token. Raises InvalidInput when it was not signed by us or has expired."""
    claims = _verify(keys, token)
    kind = CodeKind(claims["typ"])
    expires_at = datetime.fromtimestamp(claims["exp"], UTC) if "exp" in claims else None
    if expires_at is not None and expires_at <= at:
        raise InvalidInput("this code has expired: ask for a fresh one")
    return StaffCode(kind, StaffId(claims["sub"]), claims.get("ver"), claims.get("jti"), expires_at)


def _sign(keys: StaffKeys, claims: dict[str, Any]) -> str:
    return jwt.encode(claims | {"aud": _AUDIENCE}, keys.private, algorithm="EdDSA")


def _verify(keys: StaffKeys, token: str) -> dict[str, Any]:
    # PyJWT would compare `exp` with the machine's clock; the moment is ours to state, so decode_staff_token does it.
    options: Any = {"verify_exp": False, "require": ["sub", "typ"]}
    for public in (keys.public, *keys.older):
        try:
            claims = jwt.decode(token, public, algorithms=["EdDSA"], audience=_AUDIENCE, options=options)
            break
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidTokenError as error:
            raise InvalidInput("this code was not issued by us") from error
    else:
        raise InvalidInput("this code was not issued by us")
    if claims["typ"] not in _REQUIRED or any(name not in claims for name in _REQUIRED[claims["typ"]]):
        raise InvalidInput("this code was not issued by us")
    return claims
