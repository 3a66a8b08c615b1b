"""The job of the models: fit them now and then, and score all customers who agree, a page of them a transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import ConfigurationError
from millpond.kernel.jobs import Claim, held
from millpond.kernel.settings import Settings
from segments.models.boosting import require_boosting
from segments.models.fitting import fit_customers, worth_to_json
from segments.models.population import count_population, select_pages, select_sample
from segments.models.propensity import MOST_PAIRS, fit_propensity
from segments.models.scoring import PropensityScorer, Scorer, WorthScorer
from segments.models.store import ModelKind, select_model, upsert_model
from segments.models.traces import select_categories

_MOST_FITTED = 100_000
_MOST_A_PAGE = 20_000
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ScoringRules:
    """How later money is discounted, how far ahead a propensity looks, and for how long a fitted model is good."""

    discount_bp: int
    horizon: timedelta
    refit: timedelta

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The rules that an operator set."""
        return cls(
            settings.clv_discount_bp,
            timedelta(days=settings.propensity_days),
            timedelta(days=settings.segment_model_refit_days),
        )


def run_scores(
    conn: WriteConnection, at: datetime, rules: ScoringRules, *, made_at: datetime, claim: Claim | None = None
) -> dict[str, Any]:
    """What the scheduler does each day: fit what is too old as of `at`, and score all.

    Where LightGBM is not installed it goes without propensities, and the summary says so.
    """
    summary: dict[str, Any] = {}
    for kind in ModelKind:
        known = select_model(conn, kind, at)
        if known is None or known.at <= at - rules.refit:
            summary[kind] = _fit_if_installed(conn, kind, at, rules, made_at, claim)
    return summary | score_customers(conn, at, rules, made_at=made_at, claim=claim)


def _fit_if_installed(
    conn: WriteConnection, kind: ModelKind, at: datetime, rules: ScoringRules, made_at: datetime, claim: Claim | None
) -> str:
    try:
        return fit_model(conn, kind, at, rules, made_at=made_at, claim=claim)
    except ConfigurationError as error:
        return str(error)


def fit_model(
    conn: WriteConnection,
    kind: ModelKind,
    at: datetime,
    rules: ScoringRules,
    *,
    made_at: datetime,
    claim: Claim | None = None,
) -> str:
    """Fit one model on what was known at `at`, and keep it; a sentence on what came of it.

    Only customers who agree to be profiled at `made_at` are looked at. Raises ConfigurationError for propensities where
    LightGBM is not installed.
    """
    if kind is ModelKind.WORTH:
        return _fit_worth(conn, at, made_at, claim)
    return _fit_propensity(conn, at, rules, made_at, claim)


def _fit_worth(conn: WriteConnection, at: datetime, made_at: datetime, claim: Claim | None) -> str:
    people = select_sample(conn, at, asked_at=made_at, size=_MOST_FITTED)
    fitted = fit_customers(conn, people, select_categories(conn), at)
    if fitted is None:
        return "worth: not fitted, too few customers bought again"
    with held(conn, claim):
        upsert_model(
            conn,
            ModelKind.WORTH,
            at,
            made_at=made_at,
            customers=fitted.customers,
            parameters=worth_to_json(fitted),
            scores=fitted.scores,
        )
    return f"worth: fitted on {fitted.customers:,} customers"


def _fit_propensity(
    conn: WriteConnection, at: datetime, rules: ScoringRules, made_at: datetime, claim: Claim | None
) -> str:
    require_boosting()
    categories = select_categories(conn)
    size = min(MOST_PAIRS // max(len(categories), 1), _MOST_FITTED)
    people = select_sample(conn, at, asked_at=made_at, size=size)
    trained = fit_propensity(conn, people, categories, at, horizon=rules.horizon)
    if trained is None:
        return "propensity: not fitted, too few customers bought"
    with held(conn, claim):
        upsert_model(
            conn,
            ModelKind.PROPENSITY,
            at,
            made_at=made_at,
            customers=len(people),
            parameters=trained.parameters,
            scores=trained.scores,
            body=trained.body,
        )
    return f"propensity: fitted on {len(people):,} customers"


def score_customers(
    conn: WriteConnection,
    at: datetime,
    rules: ScoringRules,
    *,
    made_at: datetime,
    claim: Claim | None = None,
    on_progress: Progress | None = None,
) -> dict[str, int]:
    """Score all whose consent holds at `made_at`, as they were known at `at`, by the newest models up to then.

    Whoever is not scored loses what they were scored before. Returns how many rows there are of each kind. Must be
    called outside a transaction. Raises ConfigurationError where there is a propensity model and no LightGBM.
    """
    scorers = _load_scorers(conn, at, rules, made_at)
    size = min([_MOST_A_PAGE, *(scorer.most_people for scorer in scorers)])
    counts: dict[str, int] = {"customers": 0}
    of = count_population(conn, at) if on_progress is not None else 0
    for page in select_pages(conn, at, asked_at=made_at, size=size):
        counts["customers"] += len(page)
        with held(conn, claim):
            for scorer in scorers:
                for what, rows in scorer.score(conn, page).items():
                    counts[what] = counts.get(what, 0) + rows
        if on_progress is not None:
            on_progress(counts["customers"], of)
    return counts


def _load_scorers(conn: WriteConnection, at: datetime, rules: ScoringRules, made_at: datetime) -> list[Scorer]:
    worth, propensity = (select_model(conn, kind, at) for kind in (ModelKind.WORTH, ModelKind.PROPENSITY))
    scorers: list[Scorer] = []
    if worth is not None:
        scorers.append(WorthScorer(worth, at, made_at, rules.discount_bp))
    if propensity is not None:
        scorers.append(PropensityScorer(propensity, at))
    return scorers
