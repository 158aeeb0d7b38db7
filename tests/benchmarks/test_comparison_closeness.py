"""Near copies and the share nearer to train: against a slow distance, on copies and on fresh rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from comparison.metrics import closeness
from made_tables import MIXED, draw

COLUMNS = [c for c in MIXED.kinds if c != "id"]


def slow_distance(left: pd.Series, right: pd.Series, train: pd.DataFrame) -> float:
    """Gower's distance of two rows, column by column."""
    total = 0.0
    for column in COLUMNS:
        a, b = left[column], right[column]
        if pd.isna(a) or pd.isna(b):
            total += float(pd.isna(a) != pd.isna(b))
        elif column in MIXED.ordered:
            width = train[column].max() - train[column].min()
            total += min(1.0, abs((a - b) / width))
        else:
            total += float(a != b)
    return total / len(COLUMNS)


def test_nearest_is_that_of_the_slow_distance() -> None:
    """Missing cells have a value of their own."""
    train, made = draw(40, 1), draw(30, 2)
    left, right = closeness.encode([made, train], train, MIXED)
    distances, places = closeness.nearest(left, right)
    for number, (_, row) in enumerate(made.iterrows()):
        slow = [slow_distance(row, other, train) for _, other in train.iterrows()]
        assert distances[number] == pytest.approx(min(slow), abs=1e-5)
        assert slow[places[number]] == pytest.approx(min(slow), abs=1e-5)


def test_a_copy_is_near_everywhere() -> None:
    """Every row is a near copy and an exact one, and the share nearer to train says so too."""
    train, held = draw(800, 1), draw(200, 2)
    found = closeness.measure(train, held, train.assign(id="other"), MIXED)
    assert found["near_copies"]["synthetic"]["rate"] == 1.0
    assert found["near_copies"]["copies"] == 1.0
    assert not found["near_copies"]["within"]
    # each row is one of the rows of one in four subsets; from the rest it is a fresh row
    assert found["nearer_to_train"]["share"] == pytest.approx(
        0.625, abs=4 * found["nearer_to_train"]["error"]
    )
    assert not found["nearer_to_train"]["within"]


def test_fresh_rows_are_no_nearer_than_held_out_ones() -> None:
    """The near-copy rate of real rows is within its limit, and their share is one half as chance allows."""
    found = closeness.measure(draw(800, 1), draw(200, 2), draw(800, 3), MIXED)
    assert found["near_copies"]["within"]
    share = found["nearer_to_train"]
    assert share["subsets"] == 4
    assert abs(share["share"] - 0.5) < 4 * share["error"]


def test_limit_is_1_2_times_the_rate_of_held_out_rows_and_two_errors() -> None:
    """Spelt out for rates of 10 and 5 per cent."""
    made, held = np.r_[np.zeros(100), np.ones(900)], np.r_[np.zeros(10), np.ones(190)]
    found = closeness.near_copies(made, held)
    a, b = 100.5 / 1001, 10.5 / 201
    error = np.sqrt(a * (1 - a) / 1000 + 1.44 * b * (1 - b) / 200)
    assert found["limit"] == pytest.approx(1.2 * 0.05 + 2 * error)
    assert found["within"] == (found["limit"] >= 0.1)


def test_error_of_the_share_is_its_deviation_over_splits() -> None:
    """Fresh rows against many random splits of the same references: the mean error is the deviation found."""
    rows = [draw(500, seed) for seed in range(1, 62)]
    shares, errors = [], []
    for number in range(60):
        found = closeness.measure(
            rows[number].head(240), rows[number].tail(60), rows[number + 1].head(300), MIXED
        )
        shares.append(found["nearer_to_train"]["share"])
        errors.append(found["nearer_to_train"]["error"])
    # 300 synthetic rows of their own add (1/4)/300 at most; the deviation of 60 values is known to 9 %
    assert np.std(shares, ddof=1) == pytest.approx(np.sqrt(np.mean(np.square(errors))), rel=0.36)
