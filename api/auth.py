"""Who is calling: signed tokens with a role and a subject, checked with one fixed algorithm."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import jwt

from millpond.kernel.errors import NotFound, Unauthenticated

_ALGORITHM = "HS256"


class Role(StrEnum):
    """What a caller is to us; it decides what they may see."""

    CUSTOMER = "customer"
    STAFF = "staff"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Caller:
    """A proven role and subject: a customer's or staff member's id, or any name for an operator."""

    role: Role
    subject: str

    @property
    def actor(self) -> str:
        """One text for both, for audit columns and idempotency keys."""
        return f"{self.role.value}:{self.subject}"


def mint_token(secret: str, role: Role, subject: str, at: datetime, lifetime: timedelta) -> str:
    """A token that proves `role` and `subject` from `at` for `lifetime`, on the platform's clock."""
    claims = {"role": role.value, "sub": subject, "iat": int(at.timestamp()), "exp": int((at + lifetime).timestamp())}
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


def read_token(secret: str, token: str, at: datetime) -> Caller:
    """The caller that `token` proves at `at`; raises Unauthenticated when it is forged, expired or says too little."""
    claims = _verified_claims(secret, token)
    if _moment(claims["exp"]) <= at:
        raise Unauthenticated("the token has expired: get a new one")
    try:
        return Caller(Role(claims["role"]), claims["sub"])
    except (KeyError, ValueError) as error:
        raise Unauthenticated("the token names no role that exists here") from error


def _verified_claims(secret: str, token: str) -> dict[str, Any]:
    # The platform's clock may not be the machine's, so the times are checked by us and not by the library.
    options: Any = {"require": ["exp", "sub"], "verify_exp": False, "verify_iat": False, "verify_nbf": False}
    try:
        return jwt.decode(token, secret, algorithms=[_ALGORITHM], options=options)
    except jwt.InvalidTokenError as error:
        raise Unauthenticated("the token is not one of ours, or it was changed") from error


def _moment(seconds: Any) -> datetime:
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise Unauthenticated("the token's expiry is not a time") from error


def require_role(caller: Caller, *roles: Role) -> None:
    """Pass one of `roles`; to all others the thing does not exist, so that nothing leaks."""
    if caller.role not in roles:
        raise NotFound("there is nothing here that you may see")
