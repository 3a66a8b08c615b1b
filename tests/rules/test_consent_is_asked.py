"""Whoever concludes something of a person from what they did, own or bought, or shows or sends it, asks first."""

import ast
import re

import pytest

from customers.nouns import Medium
from customers.sending import NEEDED_TO_SEND
from millpond.kernel.db import load_queries
from tests.rules.source import PRODUCT, files, parse

PROFILE = (
    "event|customer_event|events_known|orders_known|newest_forecast|shown_forecast|category_propensity|customer_value"
    "|purchase_cycle|customer_facts|segment_member|offer|shown_offer"
)
"""What a person is profiled by, and what was concluded of them."""
READS = re.compile(rf"\b(?:from|join|lateral)\s+(?:{PROFILE})\b")
ASKS = re.compile(r"\bconsents?_in_force\b")
CONCLUDES = ("segments", "offers", "dam", "outward", "api")

ASKED_BY_FOLDER = {
    "segments/models": "select_population asks, and each statement gets only those who agree",
    "segments/facts": "the page of customers asks, and each fact is made only of what its customer agrees to",
    "segments": "select_members asks when members are told; a refresh sees only the facts of who agrees",
    "dam/report": "counts for the operator: nothing of one person is told",
}
ASKED_ELSEWHERE = {
    ("api.reads", "select_totals"): "counts",
    ("api.reads", "select_household_parts"): "their own devices on their own page: the service",
    ("api.reads", "select_soonest"): "devices for operators, who keep them running: the service",
    ("api.reads", "select_doubtful"): "devices for operators, who keep them running: the service",
    ("dam.person", "select_timeline"): "what happened, for an operator, in the audit log: nothing is concluded",
    ("offers", "select_facts"): "offers.job decides with them only after the gate `consented`",
    ("offers", "expire_offers"): "ends offers",
    ("offers", "select_customers_to_review"): "finds offers to take back",
    ("offers", "lock_offer"): "locks",
    ("offers", "lock_unanswered_offers"): "finds offers to take back",
    ("offers", "select_offers"): "for who answers one, which mark_seen asks about, and for what is taken back",
    ("offers", "select_shown_offers"): "words for offers that select_open_offers found, or that were just answered",
    ("offers", "select_offer_counts"): "counts",
    ("offers", "select_decisions"): "why something was offered or not, for who asks about themselves, and operators",
    ("offers.triggers", "select_households_of_worn_parts"): "the gate `consented` judges each candidate",
    ("offers.triggers", "select_worn_parts"): "the gate `consented` judges each candidate",
    ("offers.triggers", "select_households_of_new_devices"): "the gate `consented` judges each candidate",
    ("offers.triggers", "select_what_goes_with_new_devices"): "the gate `consented` judges each candidate",
}
"""Where, for statements that do not ask themselves; each line is somebody's promise."""

FOLDERS = sorted(file.removesuffix("/queries.sql") for file in files(*CONCLUDES, ending="queries.sql"))
QUERIES = [
    (folder, name, re.sub(r"--[^\n]*", "", text))
    for folder in FOLDERS
    if not folder.endswith("/personal")  # What a person is given of theirs, and what is erased.
    for name, text in load_queries(folder.replace("/", ".")).items()
    if not re.match(r"(?:end|delete)_", name)
]


@pytest.mark.parametrize(("folder", "name", "text"), QUERIES, ids=[f"{folder}-{name}" for folder, name, _ in QUERIES])
def test_what_reads_of_a_person_asks_them_or_says_who_did(folder: str, name: str, text: str) -> None:
    if not READS.search(" ".join(text.split())) or ASKS.search(text) or folder in ASKED_BY_FOLDER:
        return
    assert (folder.replace("/", "."), name) in ASKED_ELSEWHERE, (
        "ask consents_in_force or consent_in_force in the statement, at the moment of use;"
        " or say in ASKED_ELSEWHERE who asks before, or why nobody has to"
    )


@pytest.mark.parametrize("folder", sorted(set(ASKED_BY_FOLDER) & set(FOLDERS) - {"dam/report", "segments"}))
def test_a_folder_that_asks_for_all_of_its_statements_asks_at_all(folder: str) -> None:
    assert any(ASKS.search(text) for found, _, text in QUERIES if found == folder)


def test_every_promise_that_somebody_else_asks_is_about_a_statement_that_there_is() -> None:
    there = {(folder.replace("/", "."), name) for folder, name, _ in QUERIES}
    assert {key for key in ASKED_ELSEWHERE if key not in there} == set()


def test_the_words_for_what_a_person_is_profiled_by_find_such_statements() -> None:
    assert sum(bool(READS.search(" ".join(text.split()))) for _, _, text in QUERIES) > 15


def test_nothing_reaches_a_person_but_by_what_asks_first() -> None:
    senders = {"smtplib", "httpx", "requests", "aiohttp", "urllib3", "twilio"}
    for file, path in files(*PRODUCT).items():
        names = {node.module or "" for node in ast.walk(parse(path)) if isinstance(node, ast.ImportFrom)}
        names |= {alias.name for node in ast.walk(parse(path)) if isinstance(node, ast.Import) for alias in node.names}
        sends = {name for name in names if name.split(".")[0] in senders}
        assert not sends or "may_send(" in path.read_text(), f"{file}: ask customers.sending.may_send before it is sent"


def test_every_medium_has_a_purpose_that_is_asked_for() -> None:
    assert NEEDED_TO_SEND.keys() == set(Medium)
