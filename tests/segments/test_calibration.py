"""Probabilities that mean what they say, and how good they are."""

import numpy as np

from segments.models.calibration import fit_platt, measure

RNG = np.random.default_rng(5)
TRUE = RNG.beta(1, 6, 20_000)
HAPPENED = RNG.random(len(TRUE)) < TRUE


def test_what_is_sure_of_itself_is_set_right() -> None:
    odds = np.log(TRUE / (1 - TRUE))
    sure = 1 / (1 + np.exp(-(2 * odds + 1)))
    later = RNG.random(len(TRUE)) < TRUE
    calibrated = fit_platt(sure, HAPPENED).calibrate(sure)
    assert np.abs(calibrated - TRUE).max() < 0.03
    assert measure(calibrated, later).brier < measure(sure, later).brier


def test_the_measures_are_those_of_their_definitions() -> None:
    quality = measure(np.array([0.9, 0.6, 0.6, 0.1]), np.array([True, True, False, False]))
    assert np.isclose(quality.brier, (0.1**2 + 0.4**2 + 0.6**2 + 0.1**2) / 4)
    assert quality.auc == 3.5 / 4


def test_deciles_say_what_was_expected_and_what_happened() -> None:
    deciles = measure(TRUE, HAPPENED).deciles
    assert [decile.pairs for decile in deciles] == [2000] * 10
    assert all(abs(decile.expected - decile.happened) < 0.03 for decile in deciles)
    assert [decile.expected for decile in deciles] == sorted(decile.expected for decile in deciles)
