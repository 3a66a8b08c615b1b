"""What orders, credit and the ledger have of a person."""

from millpond.kernel.db import load_queries
from millpond.kernel.personal import Export, Table, gone, kept, nobodys, nulled, plain, pseudonym

_Q = load_queries("attribution.personal")
_COUNTS_ONCE = "a file that tells of it again makes no second one"
_BOOKS = "books are kept as long as the law says, under a pseudonym"
_CREDIT = "it is why somebody was credited, under a pseudonym"
_BY_ORDER = "it belongs to an order, whose customer is a pseudonym"


def attribution_personal() -> list[Table]:
    """Orders and the ledger keep their money under the customer's id, which names nobody; what people wrote goes."""
    return [
        _orders(),
        Table(
            "order_line",
            kept("order_id line sku quantity unit_price_minor", because=_BOOKS),
            export=Export("order_lines", _Q["export_order_lines"]),
        ),
        Table(
            "refund",
            (
                *pseudonym("refund_id order_id"),
                *kept("amount_minor currency refunded_at", because=_BOOKS),
                *nulled("reason"),
                *kept("external_id", because=_COUNTS_ONCE),
            ),
            export=Export("refunds", _Q["export_refunds"]),
            erase=(_Q["erase_refund_reasons"],),
        ),
        Table(
            "commission_hold",
            (*pseudonym("order_id"), *plain("reason held_at decision decided_at decided_by"), *nulled("note")),
            because=_BY_ORDER,
            erase=(_Q["erase_hold_notes"],),
            withheld={"note": "what one of us wrote to another about commission"},
        ),
        *_credit(),
        nobodys("ledger_entry", "entry_id kind order_id refund_id plan_id happened_at posted_at", because=_BY_ORDER),
        nobodys("posting", "entry_id line account_id amount_minor currency", because=_BY_ORDER),
        nobodys("account", "account_id kind staff_id currency", because="of who sells"),
        nobodys("commission_plan", "plan_id rate_bp return_window_days valid_from", because="what selling earns"),
        nobodys("store", "store_id name currency time_zone created_at", because="a shop"),
        nobodys(
            "binding_policy",
            "policy_id take_over protection_days validity_days max_transfers transfer_window_days transfer_delay_hours"
            " leaver_days valid_from",
            because="when customers may be handed over",
        ),
    ]


def _orders() -> Table:
    columns = (
        "channel store_id sold_by binding_id credited_to amount_minor refunded_minor currency placed_at created_at"
    )
    return Table(
        "customer_order",
        (
            *pseudonym("order_id customer_id"),
            *kept(f"{columns} discount_minor", because=_BOOKS),
            *kept("external_id", because=_COUNTS_ONCE),
            *nulled("offer_id coupon"),
        ),
        export=Export("orders", _Q["export_orders"]),
        erase=(_Q["erase_orders"],),
        withheld=dict.fromkeys(
            ("sold_by", "binding_id", "credited_to"), "in bindings: who sells is told as far as bound"
        ),
    )


def _credit() -> list[Table]:
    """Who brought a customer, and the staff themselves, who are no customers here."""
    return [
        Table(
            "binding",
            (
                *pseudonym("binding_id customer_id follows"),
                *kept("staff_id bound_from bound_until source refused_at created_at", because=_CREDIT),
                *nulled("reason"),
            ),
            export=Export("bindings", _Q["export_bindings"]),
            erase=(_Q["erase_binding_reasons"],),
        ),
        Table(
            "scan",
            gone("scan_id customer_id staff_id scanned_at source outcome"),
            export=Export("scans", _Q["export_scans"]),
            erase=(_Q["erase_scans"],),
            withheld={"scan_id": "a number of ours", "customer_id": "in the profile"},
        ),
        Table("spent_nonce", (*plain("nonce spent_at"), *pseudonym("spent_by"))),
        Table(
            "staff",
            (*plain("staff_id store_id name badge_version employed_from left_at"), *nulled("customer_id")),
            because="who works here: not as a customer, and credited in the ledger",
            erase=(_Q["erase_staff_accounts"],),
            withheld={"customer_id": "in the profile"},
        ),
    ]
