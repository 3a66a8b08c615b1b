"""E-mails and phones as HMACs: equal values have equal keys, and nobody reads a value out of one.

The key of an identifier is `KEY_ID.HMAC`: which secret it was made under, and HMAC-SHA-256 of the value as it is always
written. The value itself is kept nowhere.
"""

import hashlib
import hmac
from dataclasses import dataclass, field

import idna
import phonenumbers

from customers.identifiers import Identifier
from customers.identity.blocked import is_blocked
from customers.nouns import Namespace
from millpond.kernel.settings import Settings

_KEY_ID_CHARACTERS = 8


@dataclass(frozen=True, slots=True)
class Secret:
    """What HMACs are made under, and the name by which they say so."""

    key_id: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Hashed:
    """A value under the secret of now, and of before while there is one; an empty key is of nobody's value."""

    now: Identifier
    before: Identifier | None = None


@dataclass(frozen=True, slots=True)
class Hashing:
    """How e-mails and phones become keys: the secrets, of which none may be set, and where short numbers are from."""

    secret: Secret | None
    before: Secret | None
    phone_region: str

    def named(self, namespace: Namespace, text: str) -> Hashed | None:
        """The keys of any value; None for an e-mail or a phone that is none, or where there is no secret."""
        match namespace:
            case Namespace.EMAIL:
                return self.email(text)
            case Namespace.PHONE:
                return self.phone(text)
            case _:
                return Hashed((namespace, text))

    def email(self, text: str) -> Hashed | None:
        """An e-mail's keys; None when it is none, or there is no secret."""
        return self._hash(Namespace.EMAIL, text, normal_email(text))

    def phone(self, text: str) -> Hashed | None:
        """A phone number's keys; None when it is none, or there is no secret."""
        return self._hash(Namespace.PHONE, text, normal_phone(text, self.phone_region))

    def _hash(self, namespace: Namespace, text: str, normal: str | None) -> Hashed | None:
        if is_blocked(text) or (normal is not None and is_blocked(normal)):
            return Hashed((namespace, ""))
        if self.secret is None or normal is None:
            return None
        before = None if self.before is None else (namespace, _key(self.before, namespace, normal))
        return Hashed((namespace, _key(self.secret, namespace, normal)), before)


def read_hashing(settings: Settings) -> Hashing:
    """How e-mails and phones become keys where this runs."""
    secrets = (settings.identifier_secret, settings.identifier_secret_previous)
    now, before = (_secret(each.get_secret_value()) for each in secrets)
    return Hashing(now, before, settings.phone_region)


def normal_email(text: str) -> str | None:
    """An e-mail as it is always written: in small letters, its domain in ASCII; None when it is none."""
    local, at, domain = text.strip().lower().rpartition("@")
    if not (local and at and "." in domain) or any(character.isspace() for character in local):
        return None
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
    except idna.IDNAError:
        return None


def normal_phone(text: str, region: str) -> str | None:
    """A phone number in E.164, one without a country as of the region; None when it can be no number."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _secret(text: str) -> Secret | None:
    if not text:
        return None
    key = hmac.digest(text.encode(), b"millpond identifiers", "sha256")
    return Secret(hashlib.sha256(b"key id" + key).hexdigest()[:_KEY_ID_CHARACTERS], key)


def _key(secret: Secret, namespace: Namespace, normal: str) -> str:
    return f"{secret.key_id}.{hmac.digest(secret.key, f'{namespace}:{normal}'.encode(), 'sha256').hex()}"
