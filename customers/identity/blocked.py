"""Values that say nothing of who somebody is: what forms, programs and people write where they know none."""

import re
from functools import cache
from importlib.resources import files

import yaml

_SEPARATORS = re.compile(r"[\s\-_./{}()+]")
# Customers' numbers may be short: 11 is somebody, 1111111 is nobody.
_ALL_EQUAL_FROM = 7


def is_blocked(text: str) -> bool:
    """Whether a value as it was written is nobody's: a word for "none" or "test", zeros, or one character all along.

    Of an e-mail or a phone this is asked before it becomes an HMAC.
    """
    plain = text.strip().lower()
    if not plain or plain in _values():
        return True
    bare = _SEPARATORS.sub("", plain)
    return len(set(bare)) <= 1 and (bare[:1] in ("", "0") or len(bare) >= _ALL_EQUAL_FROM)


@cache
def _values() -> frozenset[str]:
    text = (files("customers.identity") / "blocked.yaml").read_text(encoding="utf-8")
    return frozenset(str(value).lower() for value in yaml.safe_load(text))
