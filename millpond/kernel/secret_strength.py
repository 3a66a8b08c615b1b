"""Whether a secret is one: long, of many different characters, and not what an example says."""

import itertools
import re
import zlib

LEAST_BYTES = 32
_LEAST_DIFFERENT = 8
_LEAST_COMPRESSED = 20
_LEAST_OWN = 16
_ZLIB_FRAME_BYTES = 8
# What documentation, images and tutorials write where a secret belongs.
_PLACEHOLDER = re.compile(
    r"change[-_ ]?(me|this|it)|do[-_ ]?not[-_ ]?use|set it in|replace|insert|your|super|very|long|please|secret|"
    r"password|passwd|example|sample|placeholder|default|string|value|key|here|jwt|token|dev|production|millpond|"
    r"\d{2,4}[-_ ]?(bits?|bytes|char(acter)?s)|at least|openssl|rand|hex|qwertyuiop|asdfghjkl|zxcvbnm|[^a-z0-9]"
)


def find_weakness(secret: str) -> str | None:
    """Why nobody should sign with `secret`, to stand after "it is"; None when nothing speaks against it."""
    raw = secret.encode()
    if len(raw) < LEAST_BYTES:
        return f"too short: use at least {LEAST_BYTES} bytes"
    if len(set(raw)) < _LEAST_DIFFERENT:
        return f"too simple: it has only {len(set(raw))} different characters"
    if len(zlib.compress(raw, 9)) - _ZLIB_FRAME_BYTES < _LEAST_COMPRESSED or _counts_up(raw):
        return "too simple: it repeats itself, or only counts"
    if len(_PLACEHOLDER.sub("", secret.lower())) < _LEAST_OWN:
        return "a placeholder: everybody knows it"
    return None


def _counts_up(raw: bytes) -> bool:
    """Whether most characters follow the one before, as in an alphabet or on a row of keys that is numbered."""
    steps = [after - before for before, after in itertools.pairwise(raw)]
    return 2 * sum(step in (-1, 1) for step in steps) > len(steps)
