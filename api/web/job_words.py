"""What came of a job, in words for the operator's page."""

from collections.abc import Mapping
from typing import Any

# What each figure of a job's summary counts, in the order in which it is told.
_COUNTED = {
    "forecast": {
        "installations": "parts looked at",
        "forecasts": "with a date",
        "refused": "without one",
        "replacements": "replacements found",
    },
    "offers": {
        "issued": "offers made",
        "credited": "credited to staff",
        "withdrawn": "withdrawn",
        "expired": "ran out",
        "not_issued": "needs left without one",
        "failed": "failed (see the log)",
    },
    "release_commissions": {"released": "commissions that became payable"},
    "score_customers": {
        "customers": "customers looked at",
        "values": "with a value",
        "cycles": "cycles of a category",
        "propensities": "propensities of a category",
    },
    "dam_days": {"days": "days of events counted"},
    "erasures": {"erased": "people erased whose erasure had been stopped"},
    "intervals": {"known": "devices with an interval of their own"},
    "tell": {"devices": "devices looked at", "told": "messages sent", "taken_back": "taken back"},
    "retention": {"rows_deleted": "old rows deleted", "deleted": "of them"},
}
_SAID_ELSEWHERE = ("at", "run_id", "candidates")


def job_words(job: str, summary: Mapping[str, Any]) -> str:
    """A job's summary as one line, `offers made 3, credited to staff 2`; what is zero is left out."""
    counted = _COUNTED.get("forecast" if job == "late_data" else job, {})
    figures = {key: value for key, value in summary.items() if key not in _SAID_ELSEWHERE}
    ordered = [key for key in counted if key in figures] + [key for key in figures if key not in counted]
    told = [words for key in ordered if (words := _tell(counted.get(key, _plain(key)), figures[key]))]
    return ", ".join(told) or "nothing to do"


def _tell(words: str, value: Any) -> str:
    """A figure with its words, or figures by kind: `method: rate 21, cohort 6`."""
    if isinstance(value, Mapping):
        kinds = [f"{_plain(kind)} {count:,}" for kind, count in value.items() if count]
        return f"{words.removeprefix('by ')}: {', '.join(kinds)}" if kinds else ""
    return f"{words} {value:,}" if isinstance(value, int) and value else ""


def _plain(key: str) -> str:
    return key.replace("_", " ")
