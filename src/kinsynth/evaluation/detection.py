"""Detection: can a small learner tell synthetic rows from real ones? Boosted trees on binned columns."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kinsynth.evaluation.variables import FloatArray, IntArray

_TREES = 60
_DEPTH = 4
_RATE = 0.2
_PENALTY = 2.0
_FOLDS = 2


def ranking_quality(score_R: FloatArray, positive_R: NDArray[np.bool_]) -> float:
    """Give the area under the ROC curve; ties count half, 0.5 is guessing."""
    _, place, counts = np.unique(score_R, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    positives = int(positive_R.sum())
    negatives = len(positive_R) - positives
    if not positives or not negatives:
        return 0.5
    ranks = float(middle[place][positive_R].sum())
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)


def detect(codes_RC: IntArray, synthetic_R: NDArray[np.bool_], groups_R: IntArray, *, seed: int) -> float:
    """Measure how well unseen synthetic rows are told from unseen real rows.

    Args:
        codes_RC: Columns in cells, shape (R, C).
        synthetic_R: Which rows are synthetic.
        groups_R: Rows of one group are never split between learning and judging.
        seed: Chooses the folds and the columns each tree sees.

    Returns:
        Area under the ROC curve: 0.5 cannot be told apart, 1 always.
    """
    rng = np.random.default_rng(seed)
    _, group_R = np.unique(groups_R, return_inverse=True)
    fold_R = rng.permutation(int(group_R.max(initial=-1)) + 1)[group_R] % _FOLDS
    score_R = np.zeros(len(codes_RC))
    for fold in range(_FOLDS):
        learning = fold_R != fold
        score_R[~learning] = _boost(codes_RC, synthetic_R, learning, rng)[~learning]
    return float(
        np.mean([ranking_quality(score_R[fold_R == f], synthetic_R[fold_R == f]) for f in range(_FOLDS)])
    )


def _boost(
    codes_RC: IntArray, positive_R: NDArray[np.bool_], learning_R: NDArray[np.bool_], rng: np.random.Generator
) -> FloatArray:
    """Learn on some rows, give the score of all."""
    score_R = np.zeros(len(codes_RC))
    cells = int(codes_RC.max(initial=0)) + 1
    for _ in range(_TREES):
        chance_R = 1 / (1 + np.exp(-score_R))
        slope_R = np.where(learning_R, positive_R - chance_R, 0.0)
        weight_R = np.where(learning_R, chance_R * (1 - chance_R), 0.0)
        chosen = np.sort(rng.permutation(codes_RC.shape[1])[: _columns_seen(codes_RC.shape[1])])
        score_R += _RATE * _grow(codes_RC[:, chosen], slope_R, weight_R, cells)
    return score_R


def _columns_seen(width: int) -> int:
    """Choose how many columns one tree looks at: all of few, a part of many."""
    return min(width, max(4, min(-(-3 * width // 5), 24)))


def _grow(codes_RC: IntArray, slope_R: FloatArray, weight_R: FloatArray, cells: int) -> FloatArray:
    """Grow one tree level by level and give its value for each row."""
    rows, width = codes_RC.shape
    node_R = np.zeros(rows, dtype=np.int64)
    learning = np.flatnonzero(weight_R)
    address_LC = codes_RC[learning] + np.arange(width) * cells
    slope_L, weight_L = np.repeat(slope_R[learning], width), np.repeat(weight_R[learning], width)
    for depth in range(_DEPTH):
        shape = (2**depth, width, cells)
        place_L = (node_R[learning, None] * (width * cells) + address_LC).ravel()
        slope_NCK, weight_NCK = (
            np.bincount(place_L, values_L, minlength=math.prod(shape)).reshape(shape)
            for values_L in (slope_L, weight_L)
        )
        column_N, cut_N = _best_splits(slope_NCK, weight_NCK)
        node_R = 2 * node_R + (codes_RC[np.arange(rows), column_N[node_R]] > cut_N[node_R])
    slope_N = np.bincount(node_R, slope_R, 2**_DEPTH)
    weight_N = np.bincount(node_R, weight_R, 2**_DEPTH)
    return (slope_N / (weight_N + _PENALTY))[node_R]


def _best_splits(slope_NCK: FloatArray, weight_NCK: FloatArray) -> tuple[IntArray, IntArray]:
    """Choose column and cut with the largest gain for each node; codes above the cut go right."""
    left_slope, left_weight = np.cumsum(slope_NCK, axis=2), np.cumsum(weight_NCK, axis=2)
    right_slope, right_weight = left_slope[:, :, -1:] - left_slope, left_weight[:, :, -1:] - left_weight
    gain = left_slope**2 / (left_weight + _PENALTY) + right_slope**2 / (right_weight + _PENALTY)
    best = gain.reshape(len(gain), -1).argmax(axis=1)
    return best // gain.shape[2], best % gain.shape[2]
