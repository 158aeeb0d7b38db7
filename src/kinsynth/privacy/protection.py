"""Value protection: which values may leave the source, counted per root row. Plain numpy, no tables.

A value is counted once for each root row that holds it, however many rows below it repeat the value.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]
Rows = NDArray[np.int64]


def count_roots(code_P: Rows, root_P: Rows, *, codes: int) -> Rows:
    """Count the distinct root rows behind each code.

    Args:
        code_P: Code of each row, shape (P,); a negative code is counted nowhere.
        root_P: Number of each row's root, shape (P,).
        codes: Number of codes.

    Returns:
        Root rows of each code, shape (codes,).

    >>> count_roots(np.array([0, 0, 0, 1, -1]), np.array([7, 7, 8, 7, 7]), codes=3)
    array([2, 1, 0])
    """
    known = code_P >= 0
    code_P, root_P = code_P[known], root_P[known]
    order = np.lexsort((root_P, code_P))
    code_P, root_P = code_P[order], root_P[order]
    new = np.ones(len(code_P), dtype=bool)
    new[1:] = (np.diff(code_P) != 0) | (np.diff(root_P) != 0)
    return np.bincount(code_P[new], minlength=codes).astype(np.int64)


def extremes(value_P: Numbers, root_P: Rows, *, minimum: int) -> tuple[Any, Any]:
    """Give the smallest and largest value that may be learned.

    Args:
        value_P: Value of each row, shape (P,).
        root_P: Number of each row's root, shape (P,).
        minimum: How many root rows must stand at or beyond each bound.

    Returns:
        The ``minimum``-th smallest of the roots' smallest values and the ``minimum``-th largest of
        their largest ones.

    Raises:
        ValueError: Fewer than ``minimum`` roots.

    Guarantees:
        At least ``minimum`` distinct roots hold a value at or below the lower bound, and as many one
        at or above the upper bound.

    >>> extremes(np.array([1, 1, 2, 3, 9, 9]), np.array([0, 0, 1, 2, 3, 3]), minimum=2)
    (2, 3)
    """
    low, high = _best_of_root(value_P, root_P), -_best_of_root(-value_P, root_P)
    if len(low) < minimum:
        raise ValueError(f"{len(low)} roots, expected at least {minimum}")
    return np.sort(low)[minimum - 1].item(), np.sort(high)[-minimum].item()


def _best_of_root(value_P: Numbers, root_P: Rows) -> Numbers:
    """Give the smallest value of each root, in the order of the roots' numbers."""
    order = np.lexsort((value_P, root_P))
    first = np.ones(len(order), dtype=bool)
    first[1:] = np.diff(root_P[order]) != 0
    smallest: Numbers = value_P[order][first]
    return smallest


def group_until_safe(group_D: Rows, value_P: Rows, root_P: Rows, *, minimum: int) -> Rows:
    """Merge neighbouring groups of values until each holds enough root rows.

    Args:
        group_D: Group of each distinct value, never decreasing, from 0 without gaps, shape (D,).
        value_P: Position in ``group_D`` of each row's value, shape (P,).
        root_P: Number of each row's root, shape (P,).
        minimum: Fewest distinct roots of a group.

    Returns:
        The groups after merging, numbered from 0 without gaps, shape (D,). Where even all values
        together have fewer than ``minimum`` roots, one group is left.
    """
    while len(group_D) and group_D[-1] > 0:
        safe = count_roots(group_D[value_P], root_P, codes=int(group_D[-1]) + 1) >= minimum
        if safe.all():
            break
        group_D = _merge_unsafe(safe)[group_D]
    return group_D


def _merge_unsafe(safe: NDArray[np.bool_]) -> Rows:
    """Join each unsafe group to the one before it, at most two at a time."""
    joined = np.zeros(len(safe), dtype=bool)
    for place in range(1, len(safe)):
        joined[place] = not (safe[place] and safe[place - 1]) and not joined[place - 1]
    return np.cumsum(~joined) - 1
