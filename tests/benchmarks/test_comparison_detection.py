"""The two-sample test is blind to samples of one source and sees what is different."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from comparison.metrics.detection import area, bootstrap_error, detect
from made_tables import MIXED, draw, shuffle

ROWS = 600
PAIRS = 4
# Predictions of one fold share their trees: between samples the area deviates twice as much as that of
# unrelated scores. Four such deviations of the mean over pairs.
CHANCE = 4 * 2 * np.sqrt((2 * ROWS + 1) / (12 * ROWS**2)) / np.sqrt(PAIRS)


def learners() -> list[object]:
    """Every learner; the one that may be missing says so."""
    missing = importlib.util.find_spec("xgboost") is None
    reason = "xgboost is in the environment of the metrics only"
    return ["lightgbm", pytest.param("xgboost", marks=pytest.mark.skipif(missing, reason=reason))]


@pytest.mark.parametrize("learner", learners())
def test_real_against_real_is_chance(learner: str) -> None:
    """Two samples of one source are told apart no better than by chance."""
    found = [
        detect(draw(ROWS, 2 * pair), draw(ROWS, 2 * pair + 1), MIXED, learner=learner, rows=5000)
        for pair in range(PAIRS)
    ]
    assert abs(np.mean([one["auc"] for one in found]) - 0.5) < CHANCE
    assert {one["rows_each"] for one in found} == {ROWS}


@pytest.mark.parametrize("learner", learners())
def test_independent_columns_are_told_apart(learner: str) -> None:
    """Right marginals alone do not pass."""
    found = detect(draw(ROWS, 1), shuffle(draw(ROWS, 2), 0), MIXED, learner=learner, rows=5000)
    assert found is not None
    assert found["auc"] > 0.95
    assert "id" not in found["telling"]


def test_too_few_rows_give_no_value() -> None:
    """Under 50 rows the value would be noise."""
    assert detect(draw(49, 1), draw(100, 2), MIXED, learner="lightgbm", rows=5000) is None


def test_area_is_the_chance_that_a_pair_is_in_order() -> None:
    """Against every pair, ties counted half."""
    generator = np.random.default_rng(0)
    made, scores = generator.integers(0, 2, 80), generator.integers(0, 6, 80)
    pairs = [
        1.0 if high > low else 0.5 if high == low else 0.0
        for high in scores[made == 1]
        for low in scores[made == 0]
    ]
    assert area(made, scores) == pytest.approx(np.mean(pairs))


def test_bootstrap_error_is_that_of_the_area() -> None:
    """For scores without information the deviation of the area is known."""
    generator = np.random.default_rng(1)
    made, scores = np.repeat([0, 1], ROWS), generator.random(2 * ROWS)
    known = np.sqrt((2 * ROWS + 1) / (12 * ROWS**2))
    assert bootstrap_error(made, scores, generator) == pytest.approx(
        known, rel=0.25
    )  # 5 deviations of 200 draws
