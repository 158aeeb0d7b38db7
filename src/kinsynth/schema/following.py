"""Whether rows under one parent follow each other in time, or only lie in it.

Where moments are scattered as if by chance and nothing else of a row has to do with the row before, the order
tells nothing that the moments themselves do not: employees of a department by the day they were hired.
Shape letters: R rows, S shuffled rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.schema.table import Column

Numbers = NDArray[np.int64]
FEWEST_ROWS = 500
_MOST_ROWS = 20_000
_MOMENTS = ("date", "datetime")
_CLASSES, _SHUFFLES, _NEAR = 16, 16, 32
_UNEVEN, _SURE, _SURER = 0.1, 3.0, 6.0


def follow_each_other(
    table: pa.Table,
    moment: str,
    others: Sequence[Column],
    *,
    parent_R: Numbers,
    rows: Numbers,
    seed: int = 0,
) -> bool:
    """Tell whether the order of rows under their parents says something.

    It does where gaps come in bursts or evenly, unlike those between points scattered by chance (the
    variation of neighbouring gaps; Holt et al. 1996, Journal of Neurophysiology 75:1806), or where another
    column goes with that of the row before, more than rows of one parent do, and than rows of about the same
    time do.

    Args:
        table: A typed table.
        moment: Name of the column of moments, none missing.
        others: Columns that may go with those of the row before; moments, which go with this one, are not
            read.
        parent_R: Parent of each row, shape (R,).
        rows: Numbers of the rows that have a parent and siblings; about 20,000 of them are looked at.
        seed: Source of shuffles.

    Returns:
        True also where there are too few rows to tell.
    """
    if len(rows) < FEWEST_ROWS:
        return True
    chance = np.random.default_rng(seed)
    row = _some_rows(rows, parent_R, chance)
    moments = pl.Series("moment", table.column(moment)).gather(row).to_physical().cast(pl.Int64).to_numpy()
    first = np.lexsort((moments, parent_R[row]))[:_MOST_ROWS]  # where one parent has more
    row, moments = row[first], moments[first]
    timed = _Rows(parent_R[row], moments - moments.min(), chance)
    values = (pl.Series(one.name, table.column(one.name)) for one in others if one.type not in _MOMENTS)
    return timed.are_uneven() or any(timed.go_with(value.gather(row)) for value in values)


def _some_rows(rows: Numbers, parent_R: Numbers, chance: np.random.Generator) -> Numbers:
    """Give all rows of some parents, so many that there are about 20,000."""
    count_P = np.bincount(parent_R[rows])
    parent = chance.permutation(np.flatnonzero(count_P))
    taken = parent[: 1 + int(np.searchsorted(np.cumsum(count_P[parent]), _MOST_ROWS))]
    return rows[np.isin(parent_R[rows], taken)]


def _classes(values: pl.Series) -> Numbers:
    """Give each value one of few classes: equally many numbers in each, or the most frequent categories."""
    if values.dtype.is_numeric():
        number_R: Numbers = values.rank("ordinal").fill_null(0).cast(pl.Int64).to_numpy()
        return -(-number_R * _CLASSES // max(int(number_R.max(initial=1)), 1))
    number_R = values.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    frequent = np.argsort(-np.bincount(number_R), kind="stable")
    class_N = np.empty_like(frequent)
    class_N[frequent] = np.minimum(np.arange(len(frequent)), _CLASSES)
    class_R: Numbers = class_N[number_R]
    return class_R


class _Rows:
    """Rows under parents, in time.

    Args:
        parent_R: Parent of each row.
        moment_R: Moment of each row. Where several have the same, chance decides which comes first.
        chance: Source of shuffles.
    """

    def __init__(self, parent_R: Numbers, moment_R: Numbers, chance: np.random.Generator) -> None:
        apart = np.diff(np.unique(moment_R))
        step = int(np.gcd.reduce(apart)) if len(apart) else 1
        self._moment_R = moment_R + step * chance.random(len(moment_R))
        order = np.lexsort((self._moment_R, parent_R))
        self._parents, self._order = parent_R, order
        self._next = np.diff(parent_R[order]) == 0
        within = [np.lexsort((chance.random(len(order)), parent_R)) for _ in range(_SHUFFLES)]
        in_time = np.argsort(self._moment_R)
        near_R = np.arange(len(order)) // _NEAR
        beside = []
        for _ in range(_SHUFFLES):
            place_R = np.empty_like(order)
            place_R[in_time] = in_time[np.lexsort((chance.random(len(order)), near_R))]
            beside.append(place_R[order])
        self._shuffled = within, beside

    def are_uneven(self) -> bool:
        """Tell whether gaps vary otherwise from one to the next than between points scattered by chance."""
        gap_R = np.diff(self._moment_R[self._order])
        both_R = self._next[1:] & self._next[:-1]
        first, second = gap_R[:-1][both_R], gap_R[1:][both_R]
        if len(first) < FEWEST_ROWS // 4:
            return False
        varies = 2 * np.abs(second - first) / np.maximum(first + second, 1e-9)
        beyond = float(varies.mean()) - 1
        return bool(abs(beyond) >= max(_UNEVEN, _SURE * float(varies.std()) / len(varies) ** 0.5))

    def go_with(self, values: pl.Series) -> bool:
        """Tell whether rows go with the row before, more than shuffled rows do.

        Of numbers what the parent and the time explain is taken away; categories are compared both with rows
        of the same parent and with rows of about the same time.
        """
        within, beside = self._shuffled
        if values.dtype.is_numeric() and values.n_unique() > _CLASSES:
            return self._differs(_classes(self._unexplained(values)), within)
        class_R = _classes(values.cast(pl.String))
        return self._differs(class_R, within) and self._differs(class_R, beside)

    def _unexplained(self, values: pl.Series) -> pl.Series:
        """Take away from the ranks of numbers what is the parent's, and what goes with the time."""
        rank_R = values.rank("average").to_numpy().astype(np.float64)
        known = np.flatnonzero(~np.isnan(rank_R))
        time_R = self._moment_R[known] / max(float(np.ptp(self._moment_R)), 1.0)
        parent_K = np.unique(self._parents[known], return_inverse=True)[1]
        size_K = np.bincount(parent_K)[parent_K]

        def less_mean(value_K: NDArray[np.float64]) -> NDArray[np.float64]:
            return value_K - np.bincount(parent_K, value_K)[parent_K] / size_K

        time_K2 = np.stack([less_mean(time_R), less_mean(time_R**2)], axis=1)
        left_K = less_mean(rank_R[known])
        rank_R[known] = left_K - time_K2 @ np.linalg.lstsq(time_K2, left_K, rcond=None)[0]
        return pl.Series("left", rank_R).fill_nan(None)

    def _differs(self, class_R: Numbers, shuffles: Sequence[Numbers]) -> bool:
        """Tell whether pairs of neighbours are others than those of shuffled rows."""
        found = np.stack([self._pairs(class_R[order]) for order in (self._order, *shuffles)])
        total = found[1:].sum(axis=0)
        means = np.stack([total / len(shuffles), *((total - one) / (len(shuffles) - 1) for one in found[1:])])
        apart = ((found - means) ** 2 / (means + 1)).sum(axis=1)
        return bool(apart[0] > apart[1:].mean() + _SURER * apart[1:].std(ddof=1))

    def _pairs(self, class_R: Numbers) -> NDArray[np.float64]:
        """Count the neighbours of each pair of classes."""
        size = _CLASSES + 1
        both = class_R[:-1][self._next] * size + class_R[1:][self._next]
        return np.bincount(both, minlength=size * size).astype(np.float64)
