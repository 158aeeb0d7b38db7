"""Relational: how many rows point at a row, and how columns of rows go with those of rows they point at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kinsynth.evaluation.bins import Binned
from kinsynth.evaluation.fidelity import (
    compare_pair,
    dependence_kept,
    distance_interval,
    distances,
    total_variation,
)
from kinsynth.evaluation.marginals import shares
from kinsynth.evaluation.results import CountComparison, Distribution, Metric
from kinsynth.evaluation.variables import FloatArray, IntArray

_CELLS, _IN_DEGREE_CELLS = 12, 6


def child_counts(row_R: IntArray, targets: int) -> IntArray:
    """Count the rows that point at each target, targets of none included; shape (targets,)."""
    return np.bincount(row_R[row_R >= 0], minlength=targets)


def compare_counts(
    parts: Sequence[IntArray], owner_R: IntArray, *, minimum: int, seed: int
) -> CountComparison:
    """Compare a number that every row of every part has, the original first.

    Args:
        parts: The numbers, 0 or more; all parts with at least one row.
        owner_R: Subject of each original row.
        minimum: Subjects of the original in each cell that is shown.
        seed: Chooses redraws, and the row by which a subject counts.
    """
    return CountComparison(
        shown=_show(parts, cell_starts(one_of_each(parts[0], owner_R, seed=seed), minimum)),
        total_variation=count_distance(parts, seed=seed),
        similarity=_similarity(parts),
        means=_means(parts),
    )


def compare_in_degrees(
    parts: Sequence[IntArray], owner_R: IntArray, *, minimum: int, seed: int
) -> CountComparison | None:
    """Compare how many rows point at each row by a key that is not the owner's.

    How many rows there are for each target depends on how many were asked for, and on how many were held
    out: the part with more is thinned at random until the means agree. Held-out rows are no reference.
    Numbers are compared in the cells that are shown, for nearly every target of many rows has its own.

    Returns:
        The comparison; None where the original has too few targets for two cells.
    """
    real, made = thinned(parts[:2], seed=seed)
    starts = cell_starts(one_of_each(real, owner_R, seed=seed), minimum, cells=_IN_DEGREE_CELLS)
    if len(starts) < 2:
        return None
    cells = [np.searchsorted(starts, part, side="right") - 1 for part in (real, made)]
    return CountComparison(
        shown=_show([real, made], starts),
        total_variation=count_distance(cells, seed=seed),
        similarity=_similarity(cells),
        means=_means(parts[:2]),
    )


def thinned(parts: Sequence[IntArray], *, seed: int) -> list[IntArray]:
    """Take rows away at random until each part has as many for each target as the one with fewest.

    A part without a single row is compared as it is.
    """
    rng = np.random.default_rng(seed)
    means = [float(part.mean()) for part in parts]
    least = min(means)
    return [
        rng.binomial(part, least / mean) if mean > least > 0 else part
        for part, mean in zip(parts, means, strict=True)
    ]


def one_of_each(count_R: IntArray, owner_R: IntArray, *, seed: int) -> IntArray:
    """Give the number of one row of each subject, chosen by chance."""
    order = np.random.default_rng(seed).permutation(len(count_R))
    return count_R[order[np.unique(owner_R[order], return_index=True)[1]]]


def count_shares(parts: Sequence[IntArray]) -> list[FloatArray]:
    """Give the share of rows with exactly the number 0, 1, 2, ... in each part."""
    cells = max(int(part.max(initial=0)) for part in parts) + 1
    return [np.bincount(part, minlength=cells) / max(len(part), 1) for part in parts]


def count_distance(parts: Sequence[IntArray], *, seed: int) -> Metric:
    """Measure the total variation of numbers, original against synthetic."""
    spread = count_shares(parts)
    value = total_variation(spread[0], spread[1])
    low, high = distance_interval(*spread[:2], sizes=(len(parts[0]), len(parts[1])), seed=seed)
    return Metric(
        name="count_distance",
        value=round(value, 4),
        interval=(round(low, 4), round(high, 4)),
        reference=round(total_variation(spread[0], spread[2]), 4) if len(parts) > 2 else None,
        direction="lower",
    )


def _similarity(parts: Sequence[IntArray]) -> Metric:
    """Scale the distance of numbers: 1 as near as another real sample of that size."""
    cells = max(int(part.max(initial=0)) for part in parts) + 1
    values = [round(distance.similarity, 4) for distance in distances(parts, cells, None)]
    return Metric(name="count_similarity", value=values[0], reference=values[1] if len(values) > 1 else None)


def _means(parts: Sequence[IntArray]) -> tuple[float, ...]:
    """Give the means to three digits."""
    return tuple(float(f"{part.mean():.3g}") for part in parts)


def _show(parts: Sequence[IntArray], starts: Sequence[int]) -> Distribution:
    """Give the distribution of numbers in cells that begin at given numbers."""
    labels = [_range_label(low, high - 1) for low, high in zip(starts, [*starts[1:], 0], strict=True)]
    counts = [
        np.bincount(np.searchsorted(starts, part, side="right") - 1, minlength=len(starts)) for part in parts
    ]
    spread = [shares(part) for part in counts]
    return Distribution(
        labels=tuple(labels),
        original=spread[0],
        synthetic=spread[1],
        holdout=spread[2] if len(spread) > 2 else None,
    )


def cell_starts(counts: IntArray, minimum: int, *, cells: int = _CELLS) -> list[int]:
    """Choose the smallest count of each cell: single counts while they are few, ranges otherwise."""
    wanted = max(minimum, len(counts) // (2 * cells) if len(np.unique(counts)) > cells else 1)
    starts, held = [0], 0
    for value, parents in zip(*np.unique(counts, return_counts=True), strict=True):
        if held >= wanted and len(counts[counts >= value]) >= wanted:
            starts.append(int(value))
            held = 0
        held += int(parents)
    return starts


def _range_label(low: int, high: int) -> str:
    """Write one count, a range, or an open range."""
    if high < low:
        return f"{low}+"
    return str(low) if low == high else f"{low}–{high}"


def compare_pairs(parents: Sequence[Binned], children: Sequence[Binned], groups_R: IntArray) -> Metric | None:
    """Compare pairs of a parent's column, taken at the child's rows, and a child's column.

    Args:
        parents: Columns of the parents, one value for each child.
        children: Columns of the children.
        groups_R: Parent of each original child, numbered from 0.

    Returns:
        Share of dependence kept; None without such columns or rows.
    """
    if not parents or not children or min(len(part) for part in parents[0].parts) == 0:
        return None
    pairs = [compare_pair(first, second, groups_R) for first in parents for second in children]
    kept = [dependence_kept(pairs, part) for part in range(len(parents[0].parts) - 1)]
    return Metric(name="parent_child_pairs", value=kept[0], reference=kept[1] if len(kept) > 1 else None)
