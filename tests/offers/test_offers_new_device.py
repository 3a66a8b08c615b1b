"""A device that is new brings what goes with it, once, and nothing that does not fit."""

from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import Sku
from offers.nouns import OfferState, ReasonCode
from offers.store import select_decisions
from tests.household import DAY, make_device, offers_of, run_job
from tests.offers.due import buy
from tests.people import AT, make_shop


def test_a_new_tv_brings_what_fits_it_and_the_other_tv_does_not(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    customer_id = shop.customer.customer_id
    make_device(conn, "TV-55", "reed-tv-55", customer_id, AT)
    other = make_shop(conn)
    make_device(conn, "TV-43", "reed-tv-43", other.customer.customer_id, AT)
    assert run_job(conn, AT + DAY).issued == 2
    offers = offers_of(conn, customer_id)
    assert {o.sku for o in offers} == {"REED-SOUNDBAR-3", "REED-GLOW-STRIP-55"}
    assert {o.reason_code for o in offers} == {ReasonCode.FITS_NEW_DEVICE}
    assert offers_of(conn, other.customer.customer_id) == []
    denied = select_decisions(conn, customer_id=other.customer.customer_id)
    whys = {d.sku: next(g.why for g in d.gates if g.gate == d.failed_gate) for d in denied}
    assert whys[Sku("REED-SOUNDBAR-3")] == "it does not fit: the TV has no HDMI eARC"
    assert {d.failed_gate for d in denied} == {"compatible"}


def test_a_tv_is_new_for_thirty_days(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    make_device(conn, "TV-55", "reed-tv-55", shop.customer.customer_id, AT)
    assert run_job(conn, AT + 30 * DAY).candidates == 0
    assert run_job(conn, AT + 29 * DAY).issued == 2


def test_nothing_is_offered_to_a_household_that_has_it(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    make_device(conn, "TV-55", "reed-tv-55", shop.customer.customer_id, AT)
    buy(conn, shop, AT, sku=Sku("REED-SOUNDBAR-3"))
    run_job(conn, AT + DAY)
    assert [o.sku for o in offers_of(conn, shop.customer.customer_id)] == ["REED-GLOW-STRIP-55"]
    buy(conn, shop, AT + DAY, sku=Sku("REED-GLOW-STRIP-55"))
    assert [o.state for o in offers_of(conn, shop.customer.customer_id)] == [OfferState.WITHDRAWN]


def test_an_extra_that_was_not_wanted_is_not_offered_again(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    make_device(conn, "TV-55", "reed-tv-55", shop.customer.customer_id, AT)
    run_job(conn, AT)
    assert run_job(conn, AT + 20 * DAY).expired == 2
    assert run_job(conn, AT + 29 * DAY).issued == 0
