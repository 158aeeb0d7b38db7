import numpy as np
import pytest

from kinsynth.evaluation.detection import detect, ranking_quality


def slow_quality(score, positive):
    wins = [1.0 if p > n else 0.5 if p == n else 0.0 for p in score[positive] for n in score[~positive]]
    return np.mean(wins)


def test_ranking_quality_equals_the_slow_one():
    rng = np.random.default_rng(0)
    for _ in range(30):
        score, positive = rng.integers(0, 6, 40).astype(float), rng.random(40) < 0.4
        if positive.any() and not positive.all():
            assert ranking_quality(score, positive) == pytest.approx(slow_quality(score, positive))


def sides(rows, seed, dependent):
    rng = np.random.default_rng(seed)
    real = rng.integers(0, 8, (rows, 3))
    real[:, 2] = (real[:, 0] + real[:, 1]) // 2
    made = rng.integers(0, 8, (rows, 3))
    made[:, 2] = (made[:, 0] + made[:, 1]) // 2
    if not dependent:
        made[:, 2] = rng.permutation(made[:, 2])
    return np.concatenate([real, made]), np.repeat([False, True], rows)


def test_rows_of_one_truth_cannot_be_told_apart():
    codes, synthetic = sides(2000, 1, dependent=True)
    # AUC of guessing has standard deviation sqrt(1 / 6n) = 0.009 for each half of 2000 rows
    assert detect(codes, synthetic, np.arange(4000), seed=0) == pytest.approx(0.5, abs=0.03)


def test_broken_dependence_is_found_though_margins_agree():
    codes, synthetic = sides(2000, 2, dependent=False)
    assert detect(codes, synthetic, np.arange(4000), seed=0) > 0.7


def test_same_seed_same_result():
    codes, synthetic = sides(300, 3, dependent=False)
    first, second = (detect(codes, synthetic, np.arange(600), seed=5) for _ in range(2))
    assert first == second


def test_groups_are_not_split():
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(60), 50)
    codes = np.stack([rng.integers(0, 60, 60)[groups], rng.integers(0, 60, 60)[groups]], axis=1)
    synthetic = groups >= 30
    # a learner that sees rows of the same group on both sides would reach 1
    assert detect(codes, synthetic, groups, seed=0) < 0.75
