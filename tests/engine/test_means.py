"""Numbers of child rows keep the mean of the source."""

import numpy as np
import pytest

from kinsynth.encoded import ChildCount
from kinsynth.engine.means import MOST_MOVED, keep_mean


def counted(mean, size=8):
    return ChildCount("child", 0, np.arange(size), np.arange(size) + 1, mean)


@pytest.mark.parametrize(("seed", "more"), [(0, 0.05), (1, -0.1), (2, 0.0)])
def test_shares_keep_the_mean_and_are_the_nearest_that_do(seed, more):
    rng = np.random.default_rng(seed)
    share_K, value_K = rng.dirichlet(np.full(8, 3.0)), np.arange(8) + 0.5
    mean = float(share_K @ value_K) + more
    found_K = keep_mean(share_K, counted(mean))
    assert found_K.sum() == pytest.approx(1)
    assert found_K @ value_K == pytest.approx(mean, abs=1e-9)
    apart = float((found_K * np.log(found_K / share_K)).sum())
    kernel = np.linalg.svd(np.stack([np.ones(8), value_K]))[2][2:]
    for step in rng.normal(0, 0.002, (200, 6)) @ kernel:
        other_K = found_K + step
        assert (other_K * np.log(other_K / share_K)).sum() > apart


def test_few_move_however_many_rows_are_missing():
    share_K = np.array([0.5, 0.3, 0.0, 0.1, 0.1, 0.0, 0.0, 0.0])
    found_K = keep_mean(share_K, counted(1_000.0))
    assert 0.5 * np.abs(found_K - share_K).sum() == pytest.approx(MOST_MOVED, abs=1e-6)
    assert (found_K[share_K == 0] == 0).all()
    assert found_K @ np.arange(8) > share_K @ np.arange(8)


def test_shares_without_a_mean_or_not_all_known_stay():
    share_K = np.array([0.25, 0.25, 0.5])
    assert keep_mean(share_K, counted(None, 3)) is share_K
    unknown_K = np.array([0.25, np.nan, 0.5])
    assert keep_mean(unknown_K, counted(2.0, 3)) is unknown_K
    assert (keep_mean(np.zeros(3), counted(2.0, 3)) == 0).all()


def test_a_count_keeps_its_mean():
    kept = ChildCount.from_json(counted(2.5).to_json())
    assert kept.mean == 2.5
    assert ChildCount.from_json(counted(None).to_json()).mean is None
