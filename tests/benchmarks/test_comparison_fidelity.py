"""Accuracy, Shape, Trend and dependence against slow or known references."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from comparison.dataset import Dataset
from comparison.metrics import accuracy, trends
from comparison.metrics.features import code
from made_tables import MIXED, draw, shuffle
from sklearn.metrics import normalized_mutual_info_score

NUMBERS = Dataset("n", "n", {"x": "numeric", "y": "numeric"}, (), None)


def test_accuracy_of_the_same_rows_is_one() -> None:
    """Nothing differs."""
    rows = draw(500, 1)
    found = accuracy.measure(rows, rows, rows, MIXED)
    assert list(found.values()) == pytest.approx([1.0] * 4)


def test_accuracy_of_one_column_is_one_less_the_total_variation() -> None:
    """Against counting by name."""
    train, held, made = draw(500, 1), draw(400, 2), draw(300, 3)
    dataset = Dataset("j", "j", {"job": "categorical"}, (), None)
    real, other = (Counter(side["job"]) for side in (held, made))
    distance = sum(abs(real[v] / 400 - other[v] / 300) for v in {*real, *other}) / 2
    found = accuracy.measure(train, held, made, dataset)
    assert found["one"] == pytest.approx(1 - distance)
    assert found["two"] is None


def test_independent_columns_lose_accuracy_with_each_further_column() -> None:
    """Marginals are right, pairs are not, triples less so."""
    train, held, fresh = draw(2000, 1), draw(2000, 2), draw(2000, 3)
    loss = [
        accuracy.measure(train, held, fresh, MIXED)[k]
        - accuracy.measure(train, held, shuffle(fresh, 0), MIXED)[k]
        for k in ("one", "two", "three")
    ]
    assert loss[0] == pytest.approx(0, abs=1e-12)
    assert 0.05 < loss[1] < loss[2]


def test_codes_have_a_place_for_the_missing_and_the_unknown() -> None:
    """Eleven is missing, ten is any value that is not among the most frequent."""
    train = pd.DataFrame({"c": [*"abcdefghijklm", None], "x": [*np.arange(13.0), np.nan]})
    made = pd.DataFrame({"c": ["a", "zz", None], "x": [-5.0, 99.0, np.nan]})
    dataset = Dataset("c", "c", {"c": "categorical", "x": "numeric"}, (), None)
    (codes,) = code([made], dataset, train)
    assert codes[1:, 0].tolist() == [10, 11]
    assert codes[:, 1].tolist() == [0, 9, 11]


def test_shape_of_numbers_is_one_less_the_largest_gap_of_distribution_functions() -> None:
    """Against looking at every value."""
    generator = np.random.default_rng(0)
    real, made = pd.Series(generator.normal(0, 1, 200)), pd.Series(generator.normal(0.5, 1, 150))
    gap = max(abs((real <= v).mean() - (made <= v).mean()) for v in [*real, *made])
    assert trends.column_shape(real, made, ordered=True) == pytest.approx(1 - gap)


def test_trend_of_numbers_is_half_the_difference_of_correlations() -> None:
    """A full correlation that is lost leaves a half."""
    x = np.arange(200.0)
    real = pd.DataFrame({"x": x, "y": 3 * x})
    made = pd.DataFrame({"x": x, "y": np.abs(x - x.mean())})
    assert trends.trend(real, made, NUMBERS) == pytest.approx(0.5, abs=1e-9)


def test_trend_of_the_same_rows_is_one_and_of_independent_columns_less() -> None:
    """Missing cells have a place of their own in joint tables."""
    rows = draw(1000, 1)
    assert trends.trend(rows, rows, MIXED) == pytest.approx(1)
    assert trends.trend(rows, shuffle(rows, 0), MIXED) < 0.9


def test_mutual_information_is_that_of_scikit_learn() -> None:
    """Normalised by the geometric mean of the entropies."""
    generator = np.random.default_rng(0)
    left = generator.integers(0, 12, 500)
    right = np.where(generator.random(500) < 0.5, left, generator.integers(0, 12, 500))
    reference = normalized_mutual_info_score(left, right, average_method="geometric")
    assert trends.mutual_information(left, right) == pytest.approx(reference)
    assert trends.mutual_information(left, np.zeros(500, dtype=int)) == 0


def test_dependence_is_one_for_the_same_rows_and_near_nothing_for_independent_columns() -> None:
    """Pairs weigh as much as they depend."""
    rows, fresh = draw(3000, 1), draw(3000, 2)
    assert trends.dependence(rows, rows, rows, MIXED) == pytest.approx(1)
    assert trends.dependence(rows, rows, fresh, MIXED) > 0.9
    assert trends.dependence(rows, rows, shuffle(fresh, 0), MIXED) < 0.1
