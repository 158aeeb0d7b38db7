"""Numbers of child rows: exact where enough parents share them, else ranges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.columns.base import Rows, Values
from kinsynth.columns.lattice import round_ends
from kinsynth.columns.storage import as_array
from kinsynth.encoded import IntArray, SubColumn
from kinsynth.privacy.protection import Roots, count_roots, extremes, group_until_safe, number_of_roots
from kinsynth.settings.privacy import Protection

MOST_CODES = 256


@dataclass(frozen=True, eq=False)
class CountCodec:
    """Codes of child counts: code k stands for the counts from ``low_K[k]`` to ``high_K[k]``.

    Attributes:
        low_K: Smallest count of each code, ascending.
        high_K: Largest count of each code, included.
        mass_K: Parents of each code.
        mean: Child rows of a parent on average, to three digits; None for levels, and where nothing can be
            told.

    Guarantees:
        Every range holds the counts of at least ``rare_minimum`` roots, and ends at no single parent's
        count where there is room beside it. At least ``extreme_minimum`` roots reach the largest count
        drawn, and as many have the smallest or less.
    """

    kind: ClassVar[str] = "count"
    low_K: Rows
    high_K: Rows
    mass_K: Rows
    mean: float | None = None

    @cached_property
    def sub_columns(self) -> tuple[SubColumn, ...]:
        """One ordered token."""
        position_K = (np.cumsum(self.mass_K) - self.mass_K / 2) / max(int(self.mass_K.sum()), 1)
        return (SubColumn(0, len(self.low_K), position_K.astype(np.float32)),)

    @property
    def draws(self) -> int:
        """One: the count within the range."""
        return 1

    def encode(self, values: Values) -> IntArray:
        """Turn counts into codes; a count between two ranges joins the nearer one."""
        count_R = as_array(values[0]).fill_null(0).to_numpy().astype(np.int64)
        code_R = np.searchsorted(self.low_K, count_R, side="right").clip(1) - 1
        next_R = (code_R + 1).clip(max=len(self.low_K) - 1)
        nearer_R = self.low_K[next_R] - count_R < count_R - self.high_K[code_R]
        codes_RC: IntArray = np.where(nearer_R, next_R, code_R).astype(np.int32)[:, None]
        return codes_RC

    def decode(self, codes_RC: IntArray, uniform_RD: NDArray[Any]) -> Values:
        """Draw counts within the ranges."""
        low_R, high_R = self.low_K[codes_RC[:, 0]], self.high_K[codes_RC[:, 0]]
        drawn_R = low_R + (uniform_RD[:, 0] * (high_R - low_R + 1)).astype(np.int64)
        return (pa.array(np.minimum(drawn_R, high_R)),)

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        return {
            "kind": self.kind,
            "low": self.low_K.tolist(),
            "high": self.high_K.tolist(),
            "mass": self.mass_K.tolist(),
            "mean": self.mean,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> CountCodec:
        """Make a codec of ``to_json``'s document."""
        low_K, high_K, mass_K = (np.array(document[name], dtype=np.int64) for name in ("low", "high", "mass"))
        return cls(low_K, high_K, mass_K, document["mean"])


def build_count(count_R: Rows, root_R: Roots, protection: Protection) -> CountCodec:
    """Choose the ranges of child counts.

    Args:
        count_R: Child rows of each parent row, zeros included, shape (R,).
        root_R: Number of each parent row's root, shape (R,), or own roots.
        protection: How many roots a count needs.
    """
    minimum = max(protection.rare_minimum, protection.extreme_minimum)
    if number_of_roots(root_R) < minimum:
        nothing = np.zeros(1, dtype=np.int64)
        return CountCodec(nothing, nothing, nothing)
    lowest, highest = extremes(count_R, root_R, minimum=minimum)
    limited_R = np.clip(count_R, min(lowest, highest), highest)
    tick_D, value_R, rows_D = np.unique(limited_R, return_inverse=True, return_counts=True)
    group_D = _groups(tick_D, value_R, root_R, minimum=minimum)
    if group_D.max() >= MOST_CODES:
        middle_D = (np.cumsum(rows_D) - rows_D / 2) / rows_D.sum()
        equal_D = np.unique((middle_D * MOST_CODES).astype(np.int64), return_inverse=True)[1]
        group_D = group_until_safe(equal_D, value_R, root_R, minimum=minimum)
    first = np.flatnonzero((np.diff(group_D, prepend=-1) != 0) & (group_D >= 0))
    codes = group_D[first]
    last = len(tick_D) - 1 - np.array([np.argmax(group_D[::-1] == code) for code in codes])
    mass = np.bincount(group_D[group_D >= 0], rows_D[group_D >= 0], int(group_D.max()) + 1)
    safe_D = count_roots(value_R, root_R, codes=len(tick_D)) >= minimum
    low, high = _range_ends(tick_D, first, last, safe_D)
    return CountCodec(low, high, mass[codes].astype(np.int64), _told_mean(count_R))


def build_level(level_R: Rows, root_R: Roots, protection: Protection) -> CountCodec:
    """Choose the ranges of levels in a hierarchy: as of counts, but level 0 stands alone.

    That a row has none above it is told as a missing value is: however few rows there are.
    """
    below_R = level_R > 0
    whole = replace(build_count(level_R, root_R, protection), mean=None)
    if below_R.all() or not below_R.any():
        return whole
    rest = build_count(level_R[below_R], root_R[below_R], protection)
    if not rest.mass_K.any():
        return CountCodec(np.array([0, 1]), np.array([0, 1]), np.array([(~below_R).sum(), below_R.sum()]))
    mass = np.append((~below_R).sum(), rest.mass_K)
    low, high = (np.append(0, np.maximum(some_K, 1)) for some_K in (rest.low_K, rest.high_K))
    return CountCodec(low, high, mass)


def _told_mean(count_R: Rows) -> float:
    """Give the mean to three digits, as reports do: an exact sum would tell the count of a single extreme."""
    return float(f"{count_R.mean():.3g}")


def _range_ends(tick_D: Rows, first: Rows, last: Rows, safe_D: NDArray[np.bool_]) -> tuple[Rows, Rows]:
    """Give the smallest and largest count of each range: no parent's own where there is room beside it."""
    low, high = tick_D[first], tick_D[last]
    wide_low, wide_high = round_ends(low, high, (high - low) // np.maximum(last - first, 1) + 1)
    return np.where(safe_D[first], low, wide_low), np.where(safe_D[last], high, wide_high)


def _groups(tick_D: Rows, value_R: Rows, root_R: Roots, *, minimum: int) -> Rows:
    """Give each count that enough roots share a group, and each run of others as few as are safe.

    A run that stays unsafe joins a group beside it where the counts of both are about as frequent, so that
    any of them may be drawn. Else it gets no group (-1), and its counts join the nearest range when encoded.
    """
    safe_D = count_roots(value_R, root_R, codes=len(tick_D)) >= minimum
    run_D = np.cumsum(np.concatenate([[True], safe_D[1:] | safe_D[:-1]]))
    group_D = group_until_safe(np.arange(len(tick_D)), value_R, root_R, minimum=minimum, block_D=run_D)
    enough = count_roots(group_D[value_R], root_R, codes=int(group_D[-1]) + 1) >= minimum
    rows_D = np.bincount(value_R, minlength=len(tick_D))
    joins_G = _joins(tick_D, rows_D, group_D, enough)
    return np.where(joins_G >= 0, np.cumsum(enough)[joins_G] - 1, -1)[group_D]


def _joins(tick_D: Rows, rows_D: Rows, group_D: Rows, enough_G: NDArray[np.bool_]) -> Rows:
    """Give the safe group that each group becomes part of, itself if it is safe, -1 for none, shape (G,)."""
    joins_G = np.where(enough_G, np.arange(len(enough_G)), -1)
    taken_G = np.zeros(len(enough_G), dtype=np.bool_)
    for group in np.flatnonzero(~enough_G).tolist():
        own = group_D == group
        best = float(2 * rows_D[own].sum())  # left out, its rows are missing here and too many beside it
        for other in (group - 1, group + 1):
            if 0 <= other < len(enough_G) and enough_G[other] and not taken_G[other]:
                whole = own | (group_D == other)
                more = _off(tick_D[whole], rows_D[whole])
                more -= _off(tick_D[group_D == other], rows_D[group_D == other])
                if more < best:
                    best, joins_G[group] = more, other
        taken_G[joins_G[group]] |= joins_G[group] >= 0
    return joins_G


def _off(tick_D: Rows, rows_D: Rows) -> float:
    """Give how many rows too many or too few hold counts, where those of a range are equally frequent."""
    mean = rows_D.sum() / (tick_D[-1] - tick_D[0] + 1)
    return float(np.abs(rows_D - mean).sum() + mean * (tick_D[-1] - tick_D[0] + 1 - len(tick_D)))
