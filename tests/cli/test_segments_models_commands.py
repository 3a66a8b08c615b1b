"""`millpond segments fit` and `score`: figures for a person and for a machine, and what to do without LightGBM."""

import json
from pathlib import Path

import pytest

from millpond.kernel.db import connect
from tests.cli.conftest import Run, assert_one_sentence
from tests.segments.shoppers import END, put_shoppers

AT = END.isoformat()


@pytest.fixture
def shoppers(database: str) -> str:
    """A few hundred shoppers."""
    with connect(database) as conn:
        put_shoppers(conn, customers=400)
    return database


def test_models_are_fitted_shown_and_scored_with(shoppers: str, millpond: Run) -> None:
    fitted = millpond("segments", "fit", "--at", AT, MILLPOND_DATABASE_URL=shoppers)
    assert fitted.returncode == 0, fitted.stderr
    for shown in (
        "worth: fitted on 400 customers",
        "BG/NBD",
        "Gamma-Gamma, EUR",
        "90 days held out",
        "recency and freq",
    ):
        assert shown in fitted.stdout
    scored = millpond("segments", "score", "--at", AT, MILLPOND_DATABASE_URL=shoppers)
    assert scored.returncode == 0, scored.stderr
    assert scored.stdout.startswith(f"400 customers scored as of {AT}: 400 values, ")
    line = millpond("segments", "score", "--at", AT, "--json", MILLPOND_DATABASE_URL=shoppers).stdout
    assert json.loads(line)["values"] == 400


def test_a_machine_gets_one_object_a_model(shoppers: str, millpond: Run) -> None:
    done = millpond("segments", "fit", "--at", AT, "--only", "worth", "--json", MILLPOND_DATABASE_URL=shoppers)
    answer = json.loads(done.stdout)
    assert (answer["kind"], answer["customers"]) == ("worth", 400)
    assert set(answer["parameters"]["buying"]) == {"r", "alpha", "a", "b"}


def test_too_little_to_fit_on_is_said(database: str, millpond: Run) -> None:
    done = millpond("segments", "fit", "--at", AT, MILLPOND_DATABASE_URL=database)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines()[-2:] == [
        "worth: not fitted, too few customers bought again",
        "propensity: not fitted, too few customers bought",
    ]
    scored = millpond("segments", "score", "--at", AT, MILLPOND_DATABASE_URL=database)
    assert scored.stdout == f"0 customers scored as of {AT}: no model is fitted yet\n"


@pytest.fixture
def without_lightgbm(tmp_path: Path) -> str:
    """A folder in front of the others in which LightGBM cannot be imported."""
    (tmp_path / "lightgbm.py").write_text("raise ImportError('it is not here')\n")
    return str(tmp_path)


def test_without_lightgbm_one_sentence_says_what_to_install(
    database: str, millpond: Run, without_lightgbm: str
) -> None:
    words = ("segments", "fit", "--at", AT, "--only", "propensity")
    done = millpond(*words, MILLPOND_DATABASE_URL=database, PYTHONPATH=without_lightgbm)
    assert_one_sentence(done, "propensities need LightGBM", "pip install lightgbm")
