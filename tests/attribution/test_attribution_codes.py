"""Staff codes: what a token proves and what it does not."""

from datetime import timedelta

import jwt
import pytest

from attribution.binding_nouns import CodeKind
from attribution.tokens import decode_staff_token, derive_staff_keys, issue_badge_token, issue_screen_token
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput
from tests.people import AT, KEYS, make_shop


def test_a_screen_code_lives_for_a_minute(conn: WriteConnection) -> None:
    staff = make_shop(conn).staff
    token = issue_screen_token(KEYS, staff, at=AT)
    code = decode_staff_token(KEYS, token, at=AT + timedelta(seconds=59))
    assert (code.kind, code.staff_id) == (CodeKind.SCREEN, staff.staff_id)
    with pytest.raises(InvalidInput, match="this code has expired: ask for a fresh one"):
        decode_staff_token(KEYS, token, at=AT + timedelta(seconds=60))


def test_a_badge_lives_for_years(conn: WriteConnection) -> None:
    token = issue_badge_token(KEYS, make_shop(conn).staff)
    assert decode_staff_token(KEYS, token, at=AT + timedelta(days=3650)).kind is CodeKind.BADGE


def test_two_screen_codes_are_never_the_same(conn: WriteConnection) -> None:
    staff = make_shop(conn).staff
    assert len({issue_screen_token(KEYS, staff, at=AT) for _ in range(100)}) == 100


def test_the_same_secret_gives_the_same_keys_and_another_secret_gives_others() -> None:
    again = derive_staff_keys(b"a secret for tests, of more than 32 bytes")
    other = derive_staff_keys(b"another secret for tests, also > 32 bytes")
    raw = [keys.public.public_bytes_raw() for keys in (KEYS, again, other)]
    assert raw[0] == raw[1] != raw[2]


def _forgeries(token: str) -> dict[str, str]:
    head, body, signature = token.split(".")
    claims = {"typ": "badge", "sub": "stf_somebody", "ver": 1, "aud": "millpond-staff-code"}
    return {
        "signed by another key": jwt.encode(claims, derive_staff_keys(b"x" * 32).private, algorithm="EdDSA"),
        "not signed": jwt.encode(claims, "", algorithm="none"),
        "signed with the public key as a shared secret": jwt.encode(
            claims, KEYS.public.public_bytes_raw(), algorithm="HS256"
        ),
        "changed after signing": f"{head}.{body[:-4]}AAAA.{signature}",
        "of another audience": jwt.encode(claims | {"aud": "api"}, KEYS.private, algorithm="EdDSA"),
        "of no kind": jwt.encode({"sub": "x", "aud": "millpond-staff-code"}, KEYS.private, algorithm="EdDSA"),
        "of an unknown kind": jwt.encode(claims | {"typ": "poster"}, KEYS.private, algorithm="EdDSA"),
        "a screen code without a nonce": jwt.encode(
            {"typ": "screen", "sub": "x", "exp": 4_000_000_000, "aud": "millpond-staff-code"},
            KEYS.private,
            algorithm="EdDSA",
        ),
        "not a token": "hello",
        "empty": "",
    }


FORGERIES = list(_forgeries("a.aaaaaaaa.a"))


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("which", FORGERIES)
def test_a_forged_code_is_refused(conn: WriteConnection, which: str) -> None:
    token = _forgeries(issue_badge_token(KEYS, make_shop(conn).staff))[which]
    with pytest.raises(InvalidInput, match="this code was not issued by us"):
        decode_staff_token(KEYS, token, at=AT)
