"""Whether a secret is one: long, of many different characters, and not what an example says."""

import hashlib
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


# What no generator gives and tutorials do: the example of FastAPI's, and digests of nothing and of such words.
_PUBLISHED = {"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7"} | {
    hashlib.new(name, word.encode()).hexdigest()
    for name in ("md5", "sha1", "sha256")
    for word in ("", "password", "secret", "admin", "test", "123456", "changeme", "millpond")
}
_RUN = re.compile(r"(.)\1+", re.DOTALL)


def find_weakness(secret: str) -> str | None:
    """Why nobody should sign with `secret`, to stand after "it is"; None when nothing speaks against it."""
    raw = secret.encode()
    if len(raw) < LEAST_BYTES:
        return f"too short: use at least {LEAST_BYTES} bytes"
    if len(set(raw)) < _LEAST_DIFFERENT:
        return f"too simple: it has only {len(set(raw))} different characters"
    if len(zlib.compress(raw, 9)) - _ZLIB_FRAME_BYTES < _LEAST_COMPRESSED or _counts_up(secret):
        return "too simple: it repeats itself, or only counts"
    if secret.lower() in _PUBLISHED:
        return "published: everybody knows it"
    if len(_PLACEHOLDER.sub("", secret.lower())) < _LEAST_OWN:
        return "a placeholder: everybody knows it"
    return None


def _counts_up(secret: str) -> bool:
    """Whether most characters follow the one before, as in an alphabet or on a row of keys that is numbered; each may
    stand there several times. What is then too short has repeated itself."""
    once = _RUN.sub(r"\1", secret).encode()
    steps = [after - before for before, after in itertools.pairwise(once)]
    return len(once) < _LEAST_OWN or 2 * sum(step in (-1, 1) for step in steps) > len(steps)
