"""Bins: a variable cut into a few cells, by the quantiles or the frequent categories of the original."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kinsynth.evaluation.variables import FloatArray, IntArray, Variable


@dataclass(frozen=True)
class Binned:
    """One variable in cells.

    Attributes:
        name: Of the column.
        parts: Cell of each row, one array for each part, shape (R,), 0 <= code < cardinality.
        cardinality: Number of cells; the last one holds missing values.
    """

    name: str
    parts: tuple[IntArray, ...]
    cardinality: int

    def shares(self, part: int) -> FloatArray:
        """Give the share of each cell in one part, shape (K,)."""
        return np.bincount(self.parts[part], minlength=self.cardinality) / max(len(self.parts[part]), 1)

    def taken(self, rows: Sequence[IntArray]) -> Binned:
        """Give the cells of some rows of each part."""
        parts = tuple(part[chosen] for part, chosen in zip(self.parts, rows, strict=True))
        return Binned(self.name, parts, self.cardinality)


def some_rows(columns: Sequence[Binned], most: int, *, seed: int) -> list[IntArray]:
    """Choose at most so many rows of each part, in their order."""
    rng = np.random.default_rng(seed)
    return [np.sort(rng.permutation(len(part))[:most]) for part in columns[0].parts]


def cut_points(values_R: FloatArray, bins: int) -> FloatArray:
    """Give the borders between at most ``bins`` cells of about equal size.

    A value belongs to the cell below the first border that is not smaller.
    """
    present = values_R[~np.isnan(values_R)]
    distinct = np.unique(present)
    if len(distinct) <= bins:
        return distinct[:-1]
    quantiles = np.quantile(present, np.arange(1, bins) / bins, method="inverted_cdf")
    return np.unique(quantiles[quantiles < distinct[-1]])


def bin_variable(variable: Variable, *, bins: int = 10, pooled: bool = False) -> Binned:
    """Cut a variable into cells.

    Args:
        variable: What to cut.
        bins: Most cells for values; one more pools rare categories, one more is for missing values.
        pooled: Cut by the quantiles of all parts instead of those of the original.
    """
    if variable.labels is not None:
        known = min(len(variable.labels), bins)
        codes = [np.minimum(part, known) for part in variable.parts]
        return Binned(variable.column.name, _with_missing(codes, known + 1), known + 2)
    cuts = cut_points(np.concatenate(variable.parts) if pooled else variable.parts[0], bins)
    codes = [np.searchsorted(cuts, part, side="left").astype(float) for part in variable.parts]
    missing = [np.isnan(part) for part in variable.parts]
    codes = [np.where(gone, np.nan, part) for gone, part in zip(missing, codes, strict=True)]
    return Binned(variable.column.name, _with_missing(codes, len(cuts) + 1), len(cuts) + 2)


def _with_missing(codes: Sequence[FloatArray], missing: int) -> tuple[IntArray, ...]:
    """Give missing values the last cell."""
    return tuple(np.where(np.isnan(part), missing, part).astype(np.int64) for part in codes)
