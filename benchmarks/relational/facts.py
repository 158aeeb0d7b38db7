"""What a row shows of its relations, and the distance of two databases in it.

A ``Fact`` holds for each row of a table a degree, a level, a yes or no, or a pair of degrees. Two databases
differ in it by the total variation of its distribution, half the sum of differences of shares, from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from relational.database import Relation

POOLED = 50  # counts beyond are one, as the outside judge has it
BINS = 20
JOINT_BINS = 8
BINNED = " in twentieths"


@dataclass(frozen=True)
class Fact:
    """Values RD, D = 1 or 2 numbers a row, of the rows of one table.

    ``tables`` are those it was counted in; the first is that of its rows. ``whole`` facts (of a hierarchy)
    cannot be counted in a part of a table. ``counted`` ones are numbers that may be large. ``across`` are the
    two relations whose degrees meet in a row. ``hubs`` is how many rows the values are about where those are
    fewer: two shops, seen from all that was sold.
    """

    group: str
    name: str
    values: np.ndarray
    tables: tuple[str, ...]
    whole: bool = False
    counted: bool = True
    across: tuple[Relation, ...] = ()
    hubs: int | None = None

    @property
    def size(self) -> int:
        """How many rows it is about."""
        return len(self.values) if self.hubs is None else self.hubs


def total_variation(left: np.ndarray, right: np.ndarray) -> float:
    """Distance of two samples of whole numbers from 0; 1 if just one of them is empty."""
    if not len(left) or not len(right):
        return float(len(left) != len(right))
    size = int(max(left.max(), right.max())) + 1
    shares = [np.bincount(values, minlength=size) / len(values) for values in (left, right)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def edges(values: np.ndarray, bins: int) -> np.ndarray:
    """Upper edges of bins of about equal shares, halfway to the next larger value.

    A value that fills a bin has its own. Halfway, because large counts that are hardly seen twice (the rows
    of two shops) would else be in another bin for a difference of one.
    """
    if not len(values):
        return np.empty(0)
    found = np.unique(np.quantile(values, np.arange(1, bins) / bins, method="inverted_cdf"))
    distinct = np.append(np.unique(values), values.max())
    after = distinct[np.searchsorted(distinct[:-1], found) + 1]
    return (found + after) / 2


def cut(real: np.ndarray, values: np.ndarray, bins: int) -> np.ndarray:
    """Bins R of values, by edges of the real ones."""
    return np.searchsorted(edges(real, bins), values, side="left")


def pooled(real: Fact, made: Fact) -> float:
    """Distance with counts beyond 50 as one."""
    return total_variation(*(np.minimum(fact.values[:, 0], POOLED) for fact in (real, made)))


def binned(real: Fact, made: Fact) -> float:
    """Distance over twentieths of the real counts, or eighths in two directions."""
    bins = BINS if real.values.shape[1] == 1 else JOINT_BINS
    codes = [np.zeros(len(fact.values), dtype=np.int64) for fact in (real, made)]
    for column in range(real.values.shape[1]):
        for place, fact in enumerate((real, made)):
            cells = cut(real.values[:, column], fact.values[:, column], bins)
            codes[place] = codes[place] * (bins + 1) + cells
    return total_variation(*codes)


def compare(real: Sequence[Fact], made: Sequence[Fact]) -> dict[tuple[str, str], float]:
    """Give the distance of each fact; counts also over twentieths, under a group of their own.

    Facts that no real row shows are left out.
    """
    found: dict[tuple[str, str], float] = {}
    for before, after in zip(real, made, strict=True):
        if not len(before.values):
            continue
        joint = before.values.shape[1] == 2
        found[before.group, before.name] = (binned if joint else pooled)(before, after)
        if before.counted and not joint:
            found[before.group + BINNED, before.name] = binned(before, after)
    return found
