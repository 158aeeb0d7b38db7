"""Relational: how many children parents have, and how columns of children go with those of their parents."""

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
from kinsynth.evaluation.results import Distribution, Metric
from kinsynth.evaluation.variables import FloatArray, IntArray

_CELLS = 12


def child_counts(parent_row_R: IntArray, parents: int) -> IntArray:
    """Count the children of each parent, those with none included; shape (parents,)."""
    return np.bincount(parent_row_R[parent_row_R >= 0], minlength=parents)


def count_shares(parts: Sequence[IntArray]) -> list[FloatArray]:
    """Give the share of parents with exactly 0, 1, 2, ... children in each part."""
    cells = max(int(part.max(initial=0)) for part in parts) + 1
    return [np.bincount(part, minlength=cells) / max(len(part), 1) for part in parts]


def count_distance(parts: Sequence[IntArray], *, seed: int) -> Metric:
    """Measure the total variation of exact child counts, original against synthetic."""
    spread = count_shares(parts)
    value = total_variation(spread[0], spread[1])
    low, high = distance_interval(*spread[:2], sizes=(len(parts[0]), len(parts[1])), seed=seed)
    return Metric(
        name="child_count_distance",
        value=round(value, 4),
        interval=(round(low, 4), round(high, 4)),
        reference=round(total_variation(spread[0], spread[2]), 4) if len(parts) > 2 else None,
        direction="lower",
    )


def count_similarity(parts: Sequence[IntArray]) -> Metric:
    """Scale the distance of child counts: 1 as near as another real sample of that size."""
    cells = max(int(part.max(initial=0)) for part in parts) + 1
    values = [round(distance.similarity, 4) for distance in distances(parts, cells, None)]
    return Metric(name="child_counts", value=values[0], reference=values[1] if len(values) > 1 else None)


def show_counts(parts: Sequence[IntArray], minimum: int) -> Distribution:
    """Give the distribution of child counts in cells of at least ``minimum`` original parents."""
    starts = cell_starts(parts[0], minimum)
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


def cell_starts(counts: IntArray, minimum: int) -> list[int]:
    """Choose the smallest count of each cell: single counts while they are few, ranges otherwise."""
    wanted = max(minimum, len(counts) // (2 * _CELLS) if len(np.unique(counts)) > _CELLS else 1)
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
