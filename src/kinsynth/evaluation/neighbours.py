"""Neighbours: rows as points, and the exact distance to the nearest of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kinsynth.evaluation.variables import FloatArray, Variable

_TOP_CATEGORIES = 16
_BUCKETS = 8
_KNOTS = 64

Points = NDArray[np.float32]


def place_points(variables: Sequence[Variable]) -> tuple[Points, ...]:
    """Place the rows of each part in a space where distance means difference.

    An ordered value becomes its rank among the original's values (0-1), a category a corner; two different
    categories, or a missing and a present value, are as far apart as the smallest and largest value.

    Returns:
        Points of each part, shape (R, D).
    """
    placed = [_place(variable) for variable in variables]
    parts = [np.concatenate([column[part] for column in placed], axis=1) for part in range(len(placed[0]))]
    return tuple(np.ascontiguousarray(part, dtype=np.float32) for part in parts)


def _place(variable: Variable) -> list[FloatArray]:
    """Place one column of every part, shape (R, d)."""
    if variable.labels is None:
        knots, heights = _scale(variable.parts)
        return [_place_numbers(part, knots, heights) for part in variable.parts]
    return [_place_categories(part, len(variable.labels)) for part in variable.parts]


def _scale(parts: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Give a smooth, strictly growing map from values to ranks, 0-1.

    It has few knots, so that values of the original are not placed otherwise than values between them.
    """
    known = np.sort(parts[0][~np.isnan(parts[0])])
    everything = np.concatenate(parts)
    everything = everything[~np.isnan(everything)]
    if not len(known):
        return np.zeros(1), np.full(1, 0.5)
    quantiles = np.quantile(known, np.linspace(0, 1, _KNOTS), method="inverted_cdf")
    knots = np.unique([everything.min(), *quantiles, everything.max()])
    below, upto = (np.searchsorted(known, knots, side=side) for side in ("left", "right"))
    heights = (below + upto) / (2 * len(known))
    return knots, heights + np.linspace(0, 1e-6, len(knots))


def _place_numbers(values_R: FloatArray, knots: FloatArray, heights: FloatArray) -> FloatArray:
    """Place ordered values, shape (R, 2): rank and whether it is missing."""
    missing_R = np.isnan(values_R)
    rank_R = np.interp(np.where(missing_R, knots[0], values_R), knots, heights)
    return np.stack([np.where(missing_R, 0.5, rank_R), missing_R * np.sqrt(0.75)], axis=1)


def _place_categories(values_R: FloatArray, labels: int) -> FloatArray:
    """Place categories at corners, the rare ones sharing a few; shape (R, d)."""
    corners = min(labels, _TOP_CATEGORIES)
    buckets = min(labels - corners, _BUCKETS)
    code_R = np.nan_to_num(values_R, nan=-1).astype(np.int64)
    corner_R = np.where(code_R < corners, code_R, corners + code_R % max(buckets, 1))
    corner_R = np.where(code_R < 0, corners + buckets, corner_R)
    placed_RD: FloatArray = np.eye(corners + buckets + 1)[corner_R] / np.sqrt(2)
    return placed_RD


def nearest(queries_QD: Points, base_RD: Points) -> FloatArray:
    """Give the exact distance to the nearest point.

    Args:
        queries_QD: Points asked for, shape (Q, D).
        base_RD: Points searched, not empty, shape (R, D).

    Returns:
        Distance for each query, shape (Q,), to five decimals.
    """
    import faiss

    index = faiss.IndexFlatL2(base_RD.shape[1])
    index.add(base_RD)
    _, found_QN = index.search(queries_QD, min(len(base_RD), 2))
    difference_QND = base_RD[found_QN].astype(np.float64) - queries_QD[:, None, :]
    distance_Q: FloatArray = np.round(np.sqrt((difference_QND**2).sum(axis=2)).min(axis=1), 5)
    return distance_Q
