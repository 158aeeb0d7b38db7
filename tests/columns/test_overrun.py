"""What a sequence leads beyond its end moves back, in order and within its bounds."""

from __future__ import annotations

import numpy as np
import pytest

from kinsynth.columns.overrun import end_by


@pytest.mark.parametrize(
    ("ticks", "moved"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([1, 9, 10, 12], [1, 7, 8, 10]),  # the longest gap is shortened
        ([6, 9, 12, 15], [1, 4, 7, 10]),  # none is long enough: all rows begin earlier
        ([2, 4, 6, 8, 10, 12, 14], [0, 1, 3, 5, 6, 8, 10]),  # no room for that: all gaps shrink
        ([25], [10]),
        ([20, 20, 21], [9, 9, 10]),
        ([1, 8, 15], [1, 3, 10]),  # the first of two long gaps
    ],
)
def test_what_leads_beyond_the_end_moves_back(ticks, moved):
    before, after = [3, 3, 30], [3, 3, 30]
    parent = np.repeat([0, 1, 2], [2, len(ticks), 1])
    given = np.array([*before[:2], *ticks, 8])
    expected = np.array([*after[:2], *moved, 8])
    np.testing.assert_array_equal(end_by(given, 10, np.zeros_like(given), parent), expected)


@pytest.mark.parametrize("seed", range(5))
def test_rows_stay_in_order_within_the_end_and_others_stay_where_they_are(seed):
    rng = np.random.default_rng(seed)
    parent = np.sort(rng.integers(0, 200, 3_000))
    begins = np.flatnonzero(np.diff(parent, prepend=-1))
    length = np.diff(begins, append=len(parent))
    gaps = rng.choice([0, 0, 0, 1, 5, 60, 900], len(parent))
    gaps[begins] = 0
    walked = np.cumsum(gaps)
    ticks = walked - np.repeat(walked[begins] - rng.integers(0, 1_000, len(begins)), length)
    first = np.zeros_like(ticks)
    moved = end_by(ticks, 1_000, first, parent)
    same_parent = np.diff(parent) == 0
    assert (np.diff(moved)[same_parent] >= 0).all()
    assert moved.min() >= 0
    assert moved.max() <= 1_000
    over = np.repeat(ticks[begins + length - 1] > 1_000, length)
    assert over.any()
    np.testing.assert_array_equal(moved[~over], ticks[~over])
    # Rows that share a moment go on sharing it.
    assert (np.diff(moved)[same_parent & (np.diff(ticks) == 0)] == 0).all()


@pytest.mark.parametrize(
    ("ticks", "moved"),
    [
        ([1, 9, 10, 12], [1, 5, 6, 8]),  # two steps of two less
        ([1, 9, 10, 11], [1, 7, 8, 9]),  # one beyond, two less
        ([7, 10, 11], [7, 8, 9]),
        ([7, 8, 11], [7, 8, 9]),
        ([9, 10, 11], [9, 9, 10]),  # too short for a whole step
    ],
)
def test_the_longest_gap_is_shortened_by_whole_steps_where_it_can_be(ticks, moved):
    given = np.array(ticks)
    parent = np.zeros_like(given)
    np.testing.assert_array_equal(end_by(given, 10 - 2 * (ticks[-1] == 12), parent, parent, step=2), moved)


def test_a_sequence_that_may_not_begin_before_its_end_stands_at_its_beginning():
    moved = end_by(np.array([20, 21, 25]), 10, np.array([20, 20, 20]), np.zeros(3, dtype=np.int64))
    np.testing.assert_array_equal(moved, [20, 20, 20])


def test_no_rows_are_no_sequence():
    nothing = np.zeros(0, dtype=np.int64)
    assert not len(end_by(nothing, 10, nothing, nothing))
