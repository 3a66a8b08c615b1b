"""What segments and models have of a person: facts, memberships and scores."""

from typing import LiteralString

from millpond.kernel.db import load_queries
from millpond.kernel.personal import Export, Table, gone, nobodys

_Q = load_queries("segments.personal")


def segments_personal() -> list[Table]:
    """What was worked out of one goes; a model that was fitted on many says nothing of one, nor does a size."""
    return [
        *_members_and_facts(),
        _scores(
            "customer_value",
            "customer_id model_id at made_at purchases p_alive expected_purchases value_minor clv_minor currency",
            Export("values", _Q["export_values"]),
            _Q["erase_values"],
        ),
        _scores(
            "purchase_cycle",
            "customer_id category at purchases median_days early_days late_days last_bought_at next_expected_at",
            Export("cycles", _Q["export_cycles"]),
            _Q["erase_cycles"],
        ),
        _scores(
            "category_propensity",
            "customer_id category model_id at propensity",
            Export("propensities", _Q["export_propensities"]),
            _Q["erase_propensities"],
        ),
        nobodys(
            "segment_model",
            "model_id kind at made_at customers parameters scores body",
            because="fitted on many, and it tells none of them",
        ),
    ]


def _members_and_facts() -> list[Table]:
    return [
        Table(
            "segment_member",
            gone("segment_id customer_id from_at until_at evidence"),
            export=Export("segments", _Q["export_memberships"]),
            erase=(_Q["erase_memberships"],),
            withheld={"customer_id": "in the profile"},
        ),
        Table(
            "customer_facts",
            gone(
                "customer_id at behaviour devices orders first_order_at last_order_at cycle_days currency spent refunds"
                " channels stores categories discounted_orders new_orders discounted_ids new_ids checkouts gifts"
                " season_gifts coupons gift_ids coupon_ids interests reviews last_seen_at models parts_due part_due_at"
                " life_cycle turns_at"
            ),
            export=Export("facts", _Q["export_facts"]),
            erase=(_Q["erase_facts"],),
            withheld={
                "customer_id": "in the profile",
                "behaviour": "in the consents",
                "devices": "in the consents",
                "gift_ids": "numbers of ours",
                "coupon_ids": "numbers of ours",
                "turns_at": "when the job looks again",
            },
        ),
        nobodys(
            "segment", "segment_id title condition needs refers built_in created_at changed_at", because="a condition"
        ),
        nobodys("segment_size", "segment_id at members", because="a count"),
        nobodys("segment_cut", "measure currency at customers cuts", because="bounds between fifths of all customers"),
        nobodys("segment_refresh", "at complete customers cycle_days", because="when a job ran"),
    ]


def _scores(table: str, columns: str, export: Export, erase: LiteralString) -> Table:
    ours = {"customer_id": "in the profile", "model_id": "a number of ours", "made_at": "when the job ran"}
    return Table(
        table,
        gone(columns),
        export=export,
        erase=(erase,),
        withheld={name: because for name, because in ours.items() if name in columns.split()},
    )
