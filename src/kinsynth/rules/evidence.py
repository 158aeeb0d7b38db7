"""Evidence: how unlikely it is that columns that have nothing to do with each other keep a rule.

All bounds are for independent columns with the values that were seen, counted by roots, because rows
under one root may repeat each other. A rule counts as real when the chance is below ``exp(LIMIT)``
divided by the number of candidates.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kinsynth.privacy.protection import all_units, number_of_roots
from kinsynth.rules.view import View

LIMIT = -20.0  # natural logarithm: 2 in a thousand million


def is_real(chance: float, candidates: int) -> bool:
    """Tell whether a rule is more than chance, given how many candidates were looked at."""
    return chance < limit(candidates)


def limit(candidates: int) -> float:
    """Give the logarithm of the chance below which a rule is real."""
    return LIMIT - math.log(max(1, candidates))


def count_present_roots(view: View, *names: str) -> int:
    """Count the roots with a row in which none of the columns is missing.

    Evidence is counted by the owners' roots: other units of protection, such as few clerks, repeat in
    many rows.
    """
    present_R = np.ones(view.rows, dtype=bool)
    for name in names:
        present_R &= ~view.missing(name)
    return number_of_roots(all_units(view.root_R)[0][present_R])


def log_all_equal(left_P: NDArray[np.float64], right_P: NDArray[np.float64], roots: int) -> float:
    """Give the log-chance that ``roots`` independent draws from two columns all agree.

    >>> round(log_all_equal(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 10), 3)
    -6.931
    """
    if not len(left_P) or not len(right_P):
        return 0.0
    left_D, left_count = np.unique(left_P, return_counts=True)
    right_D, right_count = np.unique(right_P, return_counts=True)
    _, left_place, right_place = np.intersect1d(left_D, right_D, assume_unique=True, return_indices=True)
    share = float((left_count[left_place] * right_count[right_place].astype(float)).sum())
    share /= len(left_P) * len(right_P)
    return roots * math.log(max(share, 1e-300))


def log_all_ordered(left_P: NDArray[np.int64], right_P: NDArray[np.int64], roots: int) -> float:
    """Give the log-chance that in ``roots`` independent draws the left value is never above the right one."""
    if not len(left_P):
        return 0.0
    above = len(right_P) - np.searchsorted(np.sort(right_P), left_P, side="left")
    share = float(above.sum()) / (len(left_P) * len(right_P))
    return roots * math.log(max(share, 1e-300))


def log_all_same(share_K: NDArray[np.float64], roots_G: NDArray[np.int64]) -> float:
    """Give the log-chance that within each group all roots have one of the values with these shares.

    >>> round(log_all_same(np.array([0.5, 0.5]), np.array([3, 1])), 3)
    -1.386
    """
    sizes, times = np.unique(roots_G[roots_G > 1], return_counts=True)
    largest = float(share_K.max())
    logs = [
        size * math.log(largest) + math.log(float(((share_K / largest) ** size).sum()))
        for size in sizes.tolist()
    ]
    return float(np.dot(times, logs)) if logs else 0.0
