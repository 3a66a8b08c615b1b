"""What segments and models have of a person: scores."""

from typing import LiteralString

from millpond.kernel.db import load_queries
from millpond.kernel.personal import Export, Table, gone, nobodys

_Q = load_queries("segments.personal")


def segments_personal() -> list[Table]:
    """Scores go; a model that was fitted on many says nothing of one."""
    return [
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


def _scores(table: str, columns: str, export: Export, erase: LiteralString) -> Table:
    ours = {"customer_id": "in the profile", "model_id": "a number of ours", "made_at": "when the job ran"}
    return Table(
        table,
        gone(columns),
        export=export,
        erase=(erase,),
        withheld={name: because for name, because in ours.items() if name in columns.split()},
    )
