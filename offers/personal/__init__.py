"""What offers have of a person."""

from millpond.kernel.db import load_queries
from millpond.kernel.personal import Export, Table, gone

_Q = load_queries("offers.personal")
_OURS = "a number of ours"


def offers_personal() -> list[Table]:
    """Decisions and offers are made of what somebody owns and did: they go whole, steps first, decisions last."""
    return [
        Table(
            "offer_event",
            gone("offer_id state at actor reason"),
            export=Export("offer_steps", _Q["export_offer_steps"]),
            erase=(_Q["erase_offer_steps"],),
        ),
        Table(
            "offer",
            gone(
                "offer_id decision_id customer_id device_id installation_id sku reason_code facts state"
                " list_price_minor price_minor currency valid_from reply_by valid_until binding_id credited_to"
                " issued_at subject_kind subject_key"
            ),
            export=Export("offers", _Q["export_offers"]),
            erase=(_Q["erase_offers"],),
            withheld=dict.fromkeys(("device_id", "installation_id", "subject_kind", "subject_key"), _OURS)
            | {"customer_id": "in the profile", "binding_id": "in bindings", "credited_to": "in bindings"},
        ),
        Table(
            "decision",
            gone(
                "decision_id customer_id trigger device_id installation_id sku decided_at outcome failed_gate"
                " candidates gates subject_kind subject_key policy score propensity slate_id slate_position times"
                " last_at"
            ),
            export=Export("decisions", _Q["export_decisions"]),
            erase=(_Q["erase_decisions"],),
            withheld=dict.fromkeys(
                ("device_id", "installation_id", "subject_kind", "subject_key", "slate_id", "slate_position"), _OURS
            )
            | {"customer_id": "in the profile"},
        ),
    ]
