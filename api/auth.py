"""Who is calling: signed tokens with a role and a subject, checked with one fixed algorithm and the role's own keys."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from api.keys import Role, TokenKey, TokenKeys
from millpond.kernel.errors import Unauthenticated
from millpond.kernel.ids import CustomerId

__all__ = ["Caller", "Proof", "Role", "mint_token", "prove_token", "read_token", "sign_token"]

_ALGORITHM = "HS256"
# Two machines' clocks are never quite the same.
_SKEW = timedelta(seconds=60)
_SUBJECT_MAX = 200


@dataclass(frozen=True, slots=True)
class Caller:
    """A proven role and subject: a customer's or staff member's id, or any name for an operator.

    `customer_id` is who a customer's subject is found to be (`api.edge.find_caller`), and `subject` is then that id;
    None for other roles, and for a token under which nobody is registered.
    """

    role: Role
    subject: str
    customer_id: CustomerId | None = None

    @property
    def actor(self) -> str:
        """One text for both, for audit columns and idempotency keys."""
        return f"{self.role.value}:{self.subject}"

    def is_customer(self, customer_id: str | None) -> bool:
        """Whether the caller is that customer. Nobody is the customer None: what has no owner is not theirs either."""
        return self.customer_id is not None and self.customer_id == customer_id


def sign_token(keys: TokenKeys, role: Role, subject: str, at: datetime, lifetime: timedelta) -> str:
    """A token that proves `role` and `subject` from `at` for `lifetime`, on the platform's clock."""
    key = keys.by_role[role][0]
    whence = {"iss": keys.issuer, "aud": keys.audience}
    claims = _claims(role, subject, at, lifetime) | {name: value for name, value in whence.items() if value}
    return jwt.encode(claims, key.secret, algorithm=_ALGORITHM, headers={"kid": key.kid})


def mint_token(secret: str, role: Role, subject: str, at: datetime, lifetime: timedelta) -> str:
    """A token as any program makes it that holds a secret and knows nothing of ours: without a key's name."""
    return jwt.encode(_claims(role, subject, at, lifetime), secret, algorithm=_ALGORITHM)


def _claims(role: Role, subject: str, at: datetime, lifetime: timedelta) -> dict[str, Any]:
    issued, expires = int(at.timestamp()), int((at + lifetime).timestamp())
    return {"role": role.value, "sub": subject, "iat": issued, "exp": expires}


@dataclass(frozen=True, slots=True)
class Proof:
    """What a token of ours says, whenever that is true."""

    role: Role
    subject: str
    valid_from: datetime | None
    valid_until: datetime

    def require_valid(self, at: datetime) -> None:
        """Raise Unauthenticated when `at` is before or after its time."""
        if self.valid_until <= at:
            raise Unauthenticated("the token has expired: get a new one")
        if self.valid_from is not None and self.valid_from > at + _SKEW:
            raise Unauthenticated("the token is not valid yet: look at the clock of whoever issued it")


def read_token(keys: TokenKeys, token: str, at: datetime) -> Proof:
    """What `token` proves at `at`; Unauthenticated when it is forged, not valid, or says too little."""
    proof = prove_token(keys, token)
    proof.require_valid(at)
    return proof


def prove_token(keys: TokenKeys, token: str) -> Proof:
    """What `token` proves while it is valid; Unauthenticated when it is forged or says too little."""
    role, kid = _read_role(token)
    claims = _verified_claims(keys, role, kid, token)
    subject = claims["sub"]
    if not subject.strip():
        raise Unauthenticated("the token names nobody: its sub is empty")
    if not subject.isprintable() or len(subject) > _SUBJECT_MAX:
        raise Unauthenticated(f"the token names nobody: its sub is not 1 to {_SUBJECT_MAX} printable characters")
    begins = [_moment(claims, name) for name in ("nbf", "iat") if name in claims]
    return Proof(role, subject, max(begins, default=None), _moment(claims, "exp"))


def _read_role(token: str) -> tuple[Role, str | None]:
    """What the token says of itself, unproven: which keys can have signed it depends on that."""
    try:
        said = jwt.decode_complete(token, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise _foreign() from error
    try:
        return Role(said["payload"]["role"]), said["header"].get("kid")
    except (KeyError, ValueError, TypeError) as error:
        raise Unauthenticated("the token names no role that exists here") from error


def _verified_claims(keys: TokenKeys, role: Role, kid: str | None, token: str) -> dict[str, Any]:
    for key in keys.may_have_signed(role, kid):
        try:
            return _decode(keys, key, token)
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidTokenError as error:
            raise _foreign() from error
    raise _foreign()


def _decode(keys: TokenKeys, key: TokenKey, token: str) -> dict[str, Any]:
    # The platform's clock may not be the machine's, so the times are checked by us and not by the library.
    options: Any = {"require": ["exp", "sub"], "verify_exp": False, "verify_iat": False, "verify_nbf": False}
    options |= {"verify_aud": keys.audience is not None, "verify_iss": keys.issuer is not None}
    return jwt.decode(
        token, key.secret, algorithms=[_ALGORITHM], options=options, audience=keys.audience, issuer=keys.issuer
    )


def _foreign() -> Unauthenticated:
    return Unauthenticated("the token is not one of ours, or it was changed")


def _moment(claims: dict[str, Any], name: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(claims[name]), UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise Unauthenticated(f"the token's {name} is not a time") from error
