"""What of a call is kept: nothing by which somebody could be found elsewhere, and of its context only what is used."""

import re
from collections.abc import Mapping
from typing import Any

from customers.nouns import Namespace

DEPTH_MAX = 10
KEYS_MAX = 1_000
# An e-mail address has at most 254; of what is much longer the database makes no index.
NAME_MAX = 255
Json = dict[str, Any]

_PERSONAL_WORDS = """
    email emailaddress mail phone phonenumber mobile mobilephone tel telephone firstname lastname middlename fullname
    givenname familyname surname nickname displayname username avatar address street postalcode zip zipcode birthday
    birthdate dateofbirth dob ip ipaddress useragent useragentdata latitude longitude lat lng password creditcard
    cardnumber ssn passport 이메일 전화번호 휴대폰 이름 성명 주소 생일 생년월일 邮箱 电子邮件 电话 手机 姓名 地址 生日
"""
_PERSONAL = frozenset(_PERSONAL_WORDS.split())
_NOT_LETTERS = re.compile(r"[\W_]+")
_ADDRESS = re.compile(r"[^\s@/?&=<>]+(?:@|%40)[^\s@/?&=<>]+\.[^\W\d_]{2,}", re.IGNORECASE)
_CONTEXT: Mapping[str, tuple[str, ...] | None] = {
    "app": ("name", "version", "build", "namespace"),
    "campaign": ("name", "source", "medium", "term", "content"),
    "consent": ("categoryPreferences", "deniedConsentIds", "allowedConsentIds"),
    "device": ("type", "manufacturer", "model"),
    "gpc": None,
    "library": ("name", "version"),
    "locale": None,
    "os": ("name", "version"),
    "page": ("path", "title"),
    "screen": ("width", "height", "density"),
    "timezone": None,
}
_CLAIMS = {"email": Namespace.EMAIL, "phone": Namespace.PHONE, "card": Namespace.CARD, "messenger": Namespace.MESSENGER}


class TooMuch(ValueError):
    """A call that is nested too deep, has too many keys, or a NUL; the first argument is a word for which."""


def reduce_properties(properties: Json) -> Json:
    """What a call says of what happened, without what is personal. Raises TooMuch."""
    return _Reduction().object(properties, 1)


def reduce_traits(traits: Json) -> Json:
    """What identify says of a person, without what is personal, to which a name belongs here. Raises TooMuch."""
    return {key: value for key, value in reduce_properties(traits).items() if _plain(key) != "name"}


def reduce_context(context: Json) -> Json:
    """Of where and with what a call was made, what is used. Raises TooMuch."""
    known = {key: _only(context[key], names) for key, names in _CONTEXT.items() if context.get(key) is not None}
    return _Reduction().object({key: value for key, value in known.items() if value is not None}, 1)


def reduce_text(text: str) -> str:
    """A text without e-mail addresses. Raises TooMuch for a NUL, which no text in the database has."""
    if "\0" in text:
        raise TooMuch("not_text", "a text in it has a NUL character")
    return _ADDRESS.sub("(e-mail)", text) if "@" in text or "%40" in text else text


def claims_in(traits: Json) -> tuple[tuple[Namespace, str], ...]:
    """By what else a person is known, as identify says it. Raises TooMuch for what is too long to be a name."""
    said = ((namespace, traits.get(key)) for key, namespace in _CLAIMS.items())
    claims = [(namespace, value.strip()) for namespace, value in said if isinstance(value, str)]
    for namespace, value in claims:
        if len(value) > NAME_MAX:
            raise TooMuch("bad_id", f"{namespace} is at most {NAME_MAX} characters, this one has {len(value)}")
    return tuple(claim for claim in claims if claim[1])


def _only(value: Any, names: tuple[str, ...] | None) -> Any:
    if names is None:
        return value if isinstance(value, str | int | bool) else None
    return {name: value[name] for name in names if name in value} if isinstance(value, dict) else None


class _Reduction:
    """One walk through an object, which counts its keys."""

    def __init__(self) -> None:
        self._keys = 0

    def object(self, value: Json, depth: int) -> Json:
        self._keys += len(value)
        if self._keys > KEYS_MAX:
            raise TooMuch("too_many_keys", f"a call has at most {KEYS_MAX} keys")
        return {
            reduce_text(key): self._value(each, depth) for key, each in value.items() if _plain(key) not in _PERSONAL
        }

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return reduce_text(value)
        if not isinstance(value, dict | list):
            return value
        if depth >= DEPTH_MAX:
            raise TooMuch("too_deep", f"a call is nested at most {DEPTH_MAX} deep")
        if isinstance(value, dict):
            return self.object(value, depth + 1)
        return [self._value(each, depth + 1) for each in value]


def _plain(key: str) -> str:
    return key if key.isalnum() and key.islower() else _NOT_LETTERS.sub("", key).lower()
