"""Value protection: which values may leave the source, counted per root row. Plain numpy, no tables.

A value is counted once for each root row that holds it, however many rows below it repeat the value. Where
several tables may be those of persons, it is counted once for each row of each, and the least number counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]
Rows = NDArray[np.int64]
_GLANCE = 4_096  # so many rows mostly tell already that there are enough roots


@dataclass(frozen=True, eq=False)
class OwnRoots:
    """Roots of counted values no two of which share a root: as in a root table, where each row is one.

    They need no numbers: behind each value stand as many roots as rows. It is cut like an array of numbers.

    Attributes:
        rows_P: Rows that hold each value, at least 1, shape (P,).
    """

    rows_P: Rows

    def __len__(self) -> int:
        """Give the number of values P."""
        return len(self.rows_P)

    def __getitem__(self, kept_P: Any) -> OwnRoots:
        """Keep some of the values."""
        return OwnRoots(self.rows_P[kept_P])


@dataclass(frozen=True, eq=False)
class Holders:
    """Roots of counted values by each of several units of protection, such as customers and products.

    Who is a person is not known: of the numbers by all units the least counts, and of bounds the tightest.
    It is cut like an array of numbers.

    Attributes:
        units: Number of each value's root by each unit, at least one array, each of shape (P,).
    """

    units: tuple[Rows, ...]

    def __len__(self) -> int:
        """Give the number of values P."""
        return len(self.units[0])

    def __getitem__(self, kept_P: Any) -> Holders:
        """Keep some of the values."""
        return Holders(tuple(root_P[kept_P] for root_P in self.units))


Numbered = Rows | Holders
Roots = Rows | OwnRoots | Holders


def all_units(root_P: Numbered) -> tuple[Rows, ...]:
    """Give the roots by each unit of protection."""
    return root_P.units if isinstance(root_P, Holders) else (root_P,)


def numbered(units: tuple[Rows, ...]) -> Numbered | None:
    """Give the roots by some units of protection; None where there is none: each row is its own."""
    return Holders(units) if len(units) > 1 else next(iter(units), None)


def number_of_roots(root_P: Roots) -> int:
    """Count the distinct root rows behind some rows.

    >>> number_of_roots(np.array([4, 4, 5])), number_of_roots(OwnRoots(np.array([3, 1])))
    (2, 4)
    >>> number_of_roots(Holders((np.array([4, 4, 5]), np.array([7, 7, 7]))))
    1
    """
    if isinstance(root_P, Holders):
        return min(map(number_of_roots, root_P.units))
    return int(root_P.rows_P.sum()) if isinstance(root_P, OwnRoots) else len(np.unique(root_P))


def count_roots(code_P: Rows, root_P: Roots, *, codes: int) -> Rows:
    """Count the distinct root rows behind each code.

    Args:
        code_P: Code of each row, shape (P,); a negative code is counted nowhere.
        root_P: Number of each row's root, shape (P,), or own roots.
        codes: Number of codes.

    Returns:
        Root rows of each code, shape (codes,).

    >>> count_roots(np.array([0, 0, 0, 1, -1]), np.array([7, 7, 8, 7, 7]), codes=3)
    array([2, 1, 0])
    >>> count_roots(np.array([0, 0, 1]), Holders((np.array([1, 2, 3]), np.array([7, 7, 8]))), codes=2)
    array([1, 1])
    """
    if isinstance(root_P, Holders):
        each = [count_roots(code_P, unit_P, codes=codes) for unit_P in root_P.units]
        return np.asarray(np.min(each, axis=0), dtype=np.int64)
    known = code_P >= 0
    code_P, root_P = code_P[known], root_P[known]
    if isinstance(root_P, OwnRoots):
        return np.bincount(code_P, root_P.rows_P, codes).astype(np.int64)
    order = np.lexsort((root_P, code_P))
    code_P, root_P = code_P[order], root_P[order]
    new = np.ones(len(code_P), dtype=bool)
    new[1:] = (np.diff(code_P) != 0) | (np.diff(root_P) != 0)
    return np.bincount(code_P[new], minlength=codes).astype(np.int64)


def share_of_roots(code_P: Rows, root_P: Roots, *, codes: int) -> NDArray[np.float64]:
    """Give the share of all root rows behind each code, the least by several units, shape (codes,).

    >>> share_of_roots(np.array([0, 0, 1, -1]), np.array([7, 8, 8, 9]), codes=2).round(3)
    array([0.667, 0.333])
    """
    if isinstance(root_P, Holders):
        each = [share_of_roots(code_P, unit_P, codes=codes) for unit_P in root_P.units]
        return np.asarray(np.min(each, axis=0))
    return np.asarray(count_roots(code_P, root_P, codes=codes) / max(number_of_roots(root_P), 1))


def has_few_roots(held_P: NDArray[np.bool_], root_P: Roots, *, minimum: int) -> bool:
    """Tell whether fewer than ``minimum`` root rows stand behind some rows.

    >>> has_few_roots(np.array([True, True, False]), np.array([4, 4, 5]), minimum=2)
    True
    """
    if isinstance(root_P, Holders):
        return any(has_few_roots(held_P, unit_P, minimum=minimum) for unit_P in root_P.units)
    roots = root_P[held_P]
    if isinstance(roots, OwnRoots):
        return number_of_roots(roots) < minimum
    if len(np.unique(roots[:_GLANCE])) >= minimum:
        return False
    return len(np.unique(roots)) < minimum


def extremes(value_P: Numbers, root_P: Roots, *, minimum: int) -> tuple[Any, Any]:
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
    if isinstance(root_P, Holders):
        lows, highs = zip(
            *(extremes(value_P, unit_P, minimum=minimum) for unit_P in root_P.units), strict=True
        )
        return max(lows), min(highs)
    roots = number_of_roots(root_P)
    if roots < minimum:
        raise ValueError(f"{roots} roots, expected at least {minimum}")
    if isinstance(root_P, OwnRoots):
        return _lowest(value_P, root_P, minimum).item(), (-_lowest(-value_P, root_P, minimum)).item()
    low, high = _best_of_root(value_P, root_P), -_best_of_root(-value_P, root_P)
    return np.sort(low)[minimum - 1].item(), np.sort(high)[-minimum].item()


def _lowest(value_P: Numbers, root_P: OwnRoots, minimum: int) -> Any:
    """Give the value at or below which stand ``minimum`` roots: among as many smallest values."""
    few = min(minimum, len(value_P))
    smallest = np.argpartition(value_P, few - 1)[:few]
    smallest = smallest[np.argsort(value_P[smallest], kind="stable")]
    return value_P[smallest][np.searchsorted(np.cumsum(root_P.rows_P[smallest]), minimum)]


def _best_of_root(value_P: Numbers, root_P: Rows) -> Numbers:
    """Give the smallest value of each root, in the order of the roots' numbers."""
    order = np.lexsort((value_P, root_P))
    first = np.ones(len(order), dtype=bool)
    first[1:] = np.diff(root_P[order]) != 0
    smallest: Numbers = value_P[order][first]
    return smallest


def group_until_safe(
    group_D: Rows, value_P: Rows, root_P: Roots, *, minimum: int, block_D: Rows | None = None
) -> Rows:
    """Merge neighbouring groups of values until each holds enough root rows.

    Args:
        group_D: Group of each distinct value, never decreasing, from 0 without gaps, shape (D,).
        value_P: Position in ``group_D`` of each row's value, shape (P,).
        root_P: Number of each row's root, shape (P,).
        minimum: Fewest distinct roots of a group.
        block_D: Block of each distinct value, never decreasing: groups merge within a block only.

    Returns:
        The groups after merging, numbered from 0 without gaps, shape (D,). Where even a whole block has
        fewer than ``minimum`` roots, it is one group.
    """
    block_D = np.zeros_like(group_D) if block_D is None else block_D
    while len(group_D):
        safe = count_roots(group_D[value_P], root_P, codes=int(group_D[-1]) + 1) >= minimum
        block = block_D[np.flatnonzero(np.diff(group_D, prepend=-1))]
        joined = _joined(safe, block)
        if not joined.any():
            break
        group_D = (np.cumsum(~joined) - 1)[group_D]
    return group_D


def _joined(safe: NDArray[np.bool_], block: Rows) -> NDArray[np.bool_]:
    """Say which groups join the one before them: one of the two is unsafe, and at most two at a time."""
    wanted = np.zeros(len(safe), dtype=bool)
    wanted[1:] = ~(safe[1:] & safe[:-1]) & (block[1:] == block[:-1])
    joined = wanted.copy()
    for place in np.flatnonzero(wanted):
        joined[place] = not joined[place - 1]
    return joined
