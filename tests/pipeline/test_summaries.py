"""Summaries of sets of rows against plain loops."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from statistics import pstdev

import numpy as np
import pytest

from kinsynth.pipeline.summaries import STATISTICS, summarise

PLAIN = {
    "mean": lambda values: sum(values) / len(values),
    "spread": lambda values: max(values) - min(values),
    "deviation": pstdev,
    "largest": max,
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
    "most_frequent": lambda values: min(Counter(values).items(), key=lambda item: (-item[1], item[0]))[0],
    "distinct": lambda values: len(set(values)),
    "repeated": lambda values: sum(a == b for a, b in pairwise(values)) / max(len(values) - 1, 1),
}


@pytest.mark.parametrize("statistic", sorted(STATISTICS))
def test_each_parent_gets_what_a_loop_gives(statistic):
    rng = np.random.default_rng(0)
    parent_R = np.sort(rng.integers(0, 40, 300))
    parent_R = parent_R[parent_R % 7 != 3]
    value_R = np.where(rng.random(len(parent_R)) < 0.3, np.nan, rng.integers(0, 4, len(parent_R)))
    found = summarise(statistic, value_R, parent_R, 45)
    for parent in range(45):
        values = [one for one in value_R[parent_R == parent].tolist() if one == one]
        if values:
            assert found[parent] == pytest.approx(PLAIN[statistic](values))
        else:
            assert np.isnan(found[parent])


def test_no_rows_give_no_summaries():
    for statistic in STATISTICS:
        assert np.isnan(summarise(statistic, np.zeros(0), np.zeros(0, np.int64), 3)).all()


def test_what_is_too_large_for_a_number_is_no_summary():
    assert np.isnan(summarise("spread", np.array([-1.7e308, 1.7e308]), np.zeros(2, np.int64), 1)).all()
