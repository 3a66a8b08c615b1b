"""Products and what they cost: one price at a time, each kept, and what an operator imported stays theirs."""

from datetime import UTC, datetime, timedelta
from functools import partial

import psycopg
import pytest

from catalogue.entries import Catalogue, ProductEntry, shipped_catalogue
from catalogue.products import put_products
from catalogue.seed import seed_catalogue
from catalogue.store import select_prices, select_product, select_products
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import Conflict
from millpond.kernel.ids import Sku
from millpond.kernel.migrate import migrate
from millpond.kernel.money import Money
from tests.old_database import OLD_AT, old_database
from tests.products import make_product
from tests.races import race

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
LAMP = Sku("LAMP")


def price(conn: WriteConnection, at: datetime) -> Money | None:
    return select_prices(conn, [LAMP], at=at).get(LAMP)


def history(conn: WriteConnection) -> list[tuple[int, str, datetime | None, datetime | None]]:
    return conn.execute(
        "select price_minor, currency, nullif(valid_from, '-infinity'), valid_until from product_price"
        " where sku = 'LAMP' order by valid_from"
    ).fetchall()


def test_a_price_holds_until_the_moment_of_the_next(conn: WriteConnection) -> None:
    make_product(conn, "LAMP", 4990, at=AT)
    make_product(conn, "LAMP", 3990, at=AT + DAY)
    make_product(conn, "LAMP", 52_000, "KRW", at=AT + 2 * DAY)
    assert history(conn) == [
        (4990, "EUR", None, AT + DAY),
        (3990, "EUR", AT + DAY, AT + 2 * DAY),
        (52_000, "KRW", AT + 2 * DAY, None),
    ]
    assert price(conn, AT + DAY - MICROSECOND) == Money(4990, "EUR")
    assert price(conn, AT + DAY) == Money(3990, "EUR")
    assert price(conn, AT + 9 * DAY) == Money(52_000, "KRW")


def test_the_first_price_stands_for_the_time_before_it_was_told(conn: WriteConnection) -> None:
    make_product(conn, "LAMP", 4990, at=AT)
    assert price(conn, AT - 900 * DAY) == Money(4990, "EUR")


def test_the_same_price_again_is_no_new_one(conn: WriteConnection) -> None:
    for day in range(3):
        make_product(conn, "LAMP", 4990, at=AT + day * DAY)
    assert history(conn) == [(4990, "EUR", None, None)]


def test_a_price_cannot_be_changed_before_it_began(conn: WriteConnection) -> None:
    make_product(conn, "LAMP", 4990, at=AT)
    make_product(conn, "LAMP", 3990, at=AT + DAY)
    with pytest.raises(Conflict, match="changed after 2026-03-02T12:00:00"):
        make_product(conn, "LAMP", 2990, at=AT + DAY)
    assert price(conn, AT + DAY) == Money(3990, "EUR")


@pytest.mark.parametrize(
    ("span", "constraint"),
    [
        (("2026-02-01", None), "product_has_one_price_now"),
        (("2026-02-01", "2026-02-01"), "product_price_not_empty"),
        (("2026-02-02", "2026-02-01"), "product_price_not_empty"),
        (("2026-03-02 12:00Z", "2026-04-01"), "product_price_starts_once"),
        (("2026-02-01", "2026-03-02 12:00Z"), "product_price_ends_once"),
        (("2026-02-01", "2026-02-02"), "product_price_is_followed"),
        (("2026-02-01", "2026-04-01"), "product_price_is_followed"),
    ],
)
def test_the_schema_lets_no_two_prices_hold_at_once(
    conn: WriteConnection, span: tuple[str, str | None], constraint: str
) -> None:
    make_product(conn, "LAMP", 4990, at=AT)
    make_product(conn, "LAMP", 3990, at=AT + DAY)
    conn.execute("set constraints all immediate")
    with pytest.raises(psycopg.errors.IntegrityError, match=constraint):
        conn.execute("insert into product_price values ('LAMP', 1, 'EUR', %s, %s)", span)


def test_imports_at_the_same_moment_take_turns(database: str) -> None:
    minor = range(1, 9)
    race(database, [partial(make_product, sku="LAMP", price_minor=each, at=AT + each * DAY) for each in minor])
    with connect(database) as conn:
        told = [(begin, end) for _, _, begin, end in history(conn)]
    assert told[0][0] is None
    assert [end for _, end in told] == [*(begin for begin, _ in told[1:]), None]


def test_a_page_of_products_has_the_prices_of_its_moment(conn: WriteConnection) -> None:
    make_product(conn, "LAMP", 4990, at=AT)
    make_product(conn, "LAMP", 3990, at=AT + DAY)
    first, second = select_products(conn, at=AT, after="IKEA", limit=2)
    assert [product.sku for product in (first, second)] == ["IKEA-STARKVIND-FILTER", "LAMP"]
    assert (second.price, second.name) == (Money(4990, "EUR"), {"en": "LAMP"})
    assert select_products(conn, at=AT, after="LAMP", limit=1)[0].sku == "LEVOIT-CORE-300-FILTER"
    assert select_product(conn, LAMP, at=AT + DAY) == select_products(conn, at=AT + DAY, after="KETTLE")[0]
    assert select_product(conn, Sku("NOPE"), at=AT) is None


def test_attributes_are_a_flat_object(conn: WriteConnection) -> None:
    entry = ProductEntry(
        sku="LAMP",
        name={"en": "Lamp"},
        category="lamp",
        price_minor=1,
        currency="EUR",
        attributes={"colour": "white", "height_cm": 58.5, "dims": True, "bulbs": 2},
    )
    put_products(conn, [entry], at=AT, imported=True)
    stored = select_product(conn, LAMP, at=AT)
    assert stored is not None
    assert stored.attributes == {"colour": "white", "height_cm": 58.5, "dims": True, "bulbs": 2}
    with pytest.raises(psycopg.errors.CheckViolation, match="product_attributes_are_an_object"):
        conn.execute("update product set attributes = '[]'")


def shipped(sku: str, price_minor: int) -> Catalogue:
    """The shipped catalogue with another price for one product."""
    catalogue = shipped_catalogue()
    new = {"price_minor": price_minor}
    products = [each.model_copy(update=new) if each.sku == sku else each for each in catalogue.products]
    return catalogue.model_copy(update={"products": products})


def test_what_ships_is_renewed_until_an_operator_imports_it(conn: WriteConnection) -> None:
    soundbar = Sku("REED-SOUNDBAR-3")
    seed_catalogue(conn, shipped(soundbar, 15_900), at=AT)
    assert select_prices(conn, [soundbar], at=AT - DAY) == {soundbar: Money(17_900, "EUR")}
    assert select_prices(conn, [soundbar], at=AT) == {soundbar: Money(15_900, "EUR")}
    make_product(conn, soundbar, 9_900, at=AT + DAY)
    seed_catalogue(conn, shipped(soundbar, 15_900), at=AT + 2 * DAY)
    stored = select_product(conn, soundbar, at=AT + 2 * DAY)
    assert stored is not None
    assert (stored.price, stored.name["en"], stored.category) == (Money(9_900, "EUR"), soundbar, "tv")


def test_an_old_databases_prices_come_along_as_the_first(server_dsn: str) -> None:
    with old_database(server_dsn, "0110_") as conn:
        conn.execute(
            "insert into product (sku, name, category, price_minor, currency)"
            " values ('LAMP', '{}', 'lamp', 4990, 'EUR'), ('램프', '{}', 'lamp', 52000, 'KRW')"
        )
        conn.execute("insert into compatibility values ('LAMP', 'LAMP', 'accessory', 1, null, 'a mistake of before')")
        migrate(conn, at=OLD_AT)
        assert select_prices(conn, [LAMP, Sku("램프")], at=OLD_AT - 900 * DAY) == {
            "LAMP": Money(4990, "EUR"),
            "램프": Money(52_000, "KRW"),
        }
        make_product(conn, "LAMP", 3990, at=OLD_AT + DAY)
        assert [price(conn, OLD_AT), price(conn, OLD_AT + DAY)] == [Money(4990, "EUR"), Money(3990, "EUR")]
        assert conn.execute("select relation, imported from compatibility").fetchall() == [("accessory", False)]
