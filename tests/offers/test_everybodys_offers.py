"""What is shown to everybody: on sale, bought by many, new; in stock, and by nothing of any one person."""

from datetime import timedelta

from attribution.nouns import Channel, OrderItem
from attribution.orders import record_sale
from customers.nouns import Customer
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import Sku
from millpond.kernel.money import Money
from offers.everybodys import FEWEST_BUYERS, GeneralReason, select_everybodys_offers
from tests.conftest import SEED_AT
from tests.people import AT, make_customer

DAY = timedelta(days=1)
FILTER, STRIP = Sku("REED-HEPA-H13"), Sku("REED-GLOW-STRIP-55")


def buy(conn: WriteConnection, customer: Customer, sku: Sku, times: int = 1) -> None:
    for _ in range(times):
        record_sale(
            conn,
            customer_id=customer.customer_id,
            channel=Channel.APP,
            items=[OrderItem(sku, 1, Money(3990, "EUR"))],
            currency="EUR",
            at=AT,
        )


def reprice(conn: WriteConnection, sku: Sku, price_minor: int, days: int) -> None:
    with conn.transaction():
        at = AT + days * DAY
        conn.execute("update product_price set valid_until = %s where sku = %s and valid_until is null", [at, sku])
        conn.execute("insert into product_price values (%s, %s, 'EUR', %s)", [sku, price_minor, at])


def shown(conn: WriteConnection, days: int = 0) -> dict[Sku, GeneralReason]:
    return {each.sku: each.code for each in select_everybodys_offers(conn, AT + days * DAY)}


def test_a_product_is_popular_when_many_people_bought_it_and_not_one_person_often(conn: WriteConnection) -> None:
    fan, others = make_customer(conn), [make_customer(conn) for _ in range(FEWEST_BUYERS - 1)]
    buy(conn, fan, FILTER, times=FEWEST_BUYERS + 3)
    for other in others[1:]:
        buy(conn, other, FILTER)
    assert FILTER not in shown(conn)
    buy(conn, others[0], FILTER)
    [popular] = [each for each in select_everybodys_offers(conn, AT) if each.sku == FILTER]
    assert (popular.code, popular.orders) == (GeneralReason.POPULAR, 2 * FEWEST_BUYERS + 2)
    assert FILTER not in shown(conn, days=31)


def test_a_price_that_fell_below_all_of_the_30_days_before_is_a_sale_for_30_days(conn: WriteConnection) -> None:
    reprice(conn, STRIP, 3990, days=0)
    assert shown(conn)[STRIP] is GeneralReason.ON_SALE
    assert STRIP not in shown(conn, days=31)
    reprice(conn, STRIP, 5990, days=40)
    reprice(conn, STRIP, 4990, days=41)
    # It was as low as 39.90 within the 30 days before: what it costs now is no lower price.
    assert STRIP not in shown(conn, days=42)


def test_what_came_lately_is_new_and_what_is_sold_out_is_not_shown(conn: WriteConnection) -> None:
    conn.execute("update product set added_at = %s where sku = %s", [AT - DAY, FILTER])
    conn.execute("update product set added_at = null where sku <> %s", [FILTER])
    assert shown(conn) == {FILTER: GeneralReason.NEW}
    assert shown(conn, days=30) == {}
    conn.execute("insert into product_stock values (%s, 0, %s)", [FILTER, AT])
    assert shown(conn) == {}
    conn.execute("update product_stock set units = 3")
    assert shown(conn) == {FILTER: GeneralReason.NEW}


def test_a_product_is_as_old_as_it_came_into_the_catalogue(conn: WriteConnection) -> None:
    assert conn.execute("select distinct added_at from product").fetchall() == [(SEED_AT,)]
