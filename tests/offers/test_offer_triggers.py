"""A trigger is whole: its candidates are asked for, and the schema takes what it says."""

import pkgutil
import re
from enum import StrEnum

import pytest

import offers.triggers
from millpond.kernel.db import WriteConnection
from offers.nouns import OfferState, Outcome, ReasonCode, Trigger
from offers.triggers.union import TRIGGERS


def test_the_candidates_of_every_trigger_are_asked_for() -> None:
    modules = {name for _, name, _ in pkgutil.iter_modules(offers.triggers.__path__)} - {"union"}
    assert {trigger.__name__.rpartition(".")[2] for trigger in TRIGGERS} == modules == set(Trigger)


@pytest.mark.parametrize(
    ("words", "constraint"),
    [
        (Trigger, "decision_trigger"),
        (Outcome, "decision_outcome"),
        (ReasonCode, "offer_reason_code"),
        (OfferState, "offer_state"),
    ],
)
def test_the_schema_knows_the_same_words(conn: WriteConnection, words: type[StrEnum], constraint: str) -> None:
    """What it does not know fails when the first offer is made, and only the log says so: mend it in a migration."""
    query = "select pg_get_constraintdef(oid) from pg_constraint where conname = %s"
    [[definition]] = conn.execute(query, [constraint]).fetchall()
    assert set(re.findall(r"'(\w+)'", definition)) == set(words)
