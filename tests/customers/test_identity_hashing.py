"""E-mails and phones become HMACs, and who was known under the secret before is known again."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from customers.accounts import register_customer
from customers.identity.hashing import Hashing, normal_email, normal_phone, read_hashing
from customers.identity.linking import link_identities
from customers.identity.nouns import Claim, Linked, Refused, Trust
from customers.nouns import Namespace
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import ConfigurationError
from millpond.kernel.settings import load_settings
from tests.people import AT

OLD, NEW = "8f3b0c7d61a94e52b7d0c35f19ae8642", "c5a17e9240bd4f86913e7ab05d28f6c4"
LOGIN = (Namespace.EXTERNAL, "ann")


def hashing(secret: str = OLD, previous: str = "") -> Hashing:
    settings = load_settings(identifier_secret=SecretStr(secret), identifier_secret_previous=SecretStr(previous))
    return read_hashing(settings)


def identify(conn: WriteConnection, how: Hashing, email: str, login: str = "ann") -> Linked:
    hashed = how.email(email)
    assert hashed is not None
    claim = Claim(hashed.now, (Namespace.EXTERNAL, login), "identify", AT, before=hashed.before)
    return link_identities(conn, [claim], trust=Trust.SOURCE, at=AT + timedelta(1))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (" Ann@Example.NET ", "ann@example.net"),
        ("kim@한국.kr", "kim@xn--3e0b707e.kr"),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
    ],
)
def test_an_email_has_one_key_however_it_is_written(one: str, other: str) -> None:
    assert hashing().email(one) == hashing().email(other) is not None


@pytest.mark.parametrize("phone", ["010-9876-5432", "+82 10 9876 5432", "01098765432"])
def test_a_phone_has_one_key_however_it_is_written(phone: str) -> None:
    assert normal_phone(phone, "KR") == "+821098765432"
    assert hashing().phone(phone) == hashing().phone("+821098765432") is not None


@pytest.mark.parametrize("text", ["ann", "ann@", "@example.net", "ann@localhost", "a b@example.net", "a@exa mple.net"])
def test_what_is_no_email_has_no_key(text: str) -> None:
    assert normal_email(text) is None
    assert hashing().email(text) is None


@pytest.mark.parametrize("text", ["12", "hello", "+82 1"])
def test_what_is_no_phone_has_no_key(text: str) -> None:
    assert hashing().phone(text) is None


def test_a_key_shows_its_secret_and_never_the_value() -> None:
    old, new = hashing(OLD).email("ann@example.net"), hashing(NEW).email("ann@example.net")
    assert old is not None
    assert new is not None
    (_, one), (_, other) = old.now, new.now
    assert one.partition(".")[0] != other.partition(".")[0]
    assert len(one) == len("12345678.") + 64
    assert "ann" not in f"{old} {hashing(OLD)!r}"
    assert OLD not in repr(hashing(OLD))


def test_the_same_text_as_email_and_as_phone_has_two_keys() -> None:
    how = hashing()
    assert how.secret is not None
    assert how._hash(Namespace.EMAIL, "x", "x") != how._hash(Namespace.PHONE, "x", "x")


def test_without_a_secret_nobody_is_known_by_them() -> None:
    assert hashing("").email("ann@example.net") is None
    with pytest.raises(ConfigurationError, match="MILLPOND_IDENTIFIER_SECRET is wrong: it is too short"):
        hashing("short")


@pytest.mark.parametrize("email", ["test@test.com", "NONE", "noemail@noemail.com"])
def test_a_value_that_many_write_is_refused_and_counted(conn: WriteConnection, email: str) -> None:
    assert identify(conn, hashing(), email).refused == {Refused.BLOCKED_VALUE: 1}
    assert hashing().phone("010-0000-0000".replace("1", "0")) == hashing().phone("00000000")


def test_who_was_known_under_the_secret_before_is_known_again_when_seen(conn: WriteConnection) -> None:
    ann = register_customer(conn, name="Ann", external_key="ann", at=AT).customer_id
    identify(conn, hashing(OLD), "ann@example.net")
    identify(conn, hashing(NEW, OLD), "ann@example.net")
    links = conn.execute(
        "select l.customer_id, l.valid_from, l.because from customer_identifier l join identifier using (identifier_id)"
        " where namespace = 'email' order by link_id"
    ).fetchall()
    assert links == [(ann, AT, "identify")] * 2
    assert identify(conn, hashing(NEW), "ann@example.net") == Linked(), "the secret before is needed no more"


def test_nobody_takes_an_email_over_while_its_secret_is_rotated(conn: WriteConnection) -> None:
    register_customer(conn, name="Ann", external_key="ann", at=AT)
    register_customer(conn, name="Ben", external_key="ben", at=AT)
    identify(conn, hashing(OLD), "ann@example.net")
    came_to = identify(conn, hashing(NEW, OLD), "ann@example.net", login="ben")
    assert came_to.refused == {Refused.BELONGS_TO_ANOTHER: 1}


def test_what_was_blocked_under_the_secret_before_is_blocked_under_the_next(conn: WriteConnection) -> None:
    for n in range(5):
        register_customer(conn, name="A", external_key=f"a{n}", at=AT)
        identify(conn, hashing(OLD), "all@example.net", login=f"a{n}")
    assert identify(conn, hashing(NEW, OLD), "all@example.net", login="a0") == Linked()
    row = conn.execute("select count(*), count(blocked_because) from identifier where namespace = 'email'").fetchone()
    assert row == (2, 2)
