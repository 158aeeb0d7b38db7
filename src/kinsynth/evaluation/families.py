"""Families: the children of each parent summed up in a few numbers, to compare whole families."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kinsynth.evaluation.variables import FloatArray, IntArray, Variable
from kinsynth.schema.table import Column


def summarise(
    children: Sequence[Variable], rows: Sequence[IntArray], parents: Sequence[int], *, order: Variable | None
) -> list[Variable]:
    """Sum up the children of each parent.

    Args:
        children: Columns of the children.
        rows: Parent's row number of each child, for each part; -1 for none.
        parents: Number of parents in each part.
        order: Column by which children of one parent follow each other; None for no meaning.

    Returns:
        Variables of the parents: number of children; of an ordered column mean, spread and largest value, of
        a category the number of different ones and the share of the most frequent; with an order also how
        much neighbours differ.
    """
    found = [_variable("children", [_count(row, size) for row, size in zip(rows, parents, strict=True)])]
    for child in children:
        measures = [
            _measure(child, part, rows[part], parents[part], None if order is None else order.parts[part])
            for part in range(len(rows))
        ]
        found += [
            _variable(f"{child.column.name}.{name}", [m[name] for m in measures]) for name in measures[0]
        ]
    return found


def _variable(name: str, parts: Sequence[FloatArray]) -> Variable:
    """Make an ordered variable."""
    return Variable(Column(name, "numeric", "double"), tuple(parts), None)


def _count(row_R: IntArray, parents: int) -> FloatArray:
    """Count children."""
    return np.bincount(row_R[row_R >= 0], minlength=parents).astype(float)


def _measure(
    child: Variable, part: int, row_R: IntArray, parents: int, order_R: FloatArray | None
) -> dict[str, FloatArray]:
    """Sum up one column of the children of each parent; NaN where there is nothing to sum up."""
    value_R = child.parts[part]
    known = (row_R >= 0) & ~np.isnan(value_R)
    owner, value = row_R[known], value_R[known]
    measures = _of_numbers(owner, value, parents) if child.ordered else _of_categories(owner, value, parents)
    if order_R is not None:
        measures["step"] = _steps(owner, value, order_R[known], parents, ordered=child.ordered)
    return measures


def _mean(owner: IntArray, value: FloatArray, parents: int) -> FloatArray:
    """Average values of each owner; NaN for none."""
    held = np.bincount(owner, minlength=parents)
    total = np.bincount(owner, value, minlength=parents)
    mean: FloatArray = np.where(held > 0, total / np.maximum(held, 1), np.nan)
    return mean


def _of_numbers(owner: IntArray, value: FloatArray, parents: int) -> dict[str, FloatArray]:
    """Give mean, spread and largest value."""
    exponent = np.frexp(np.abs(value).max(initial=np.finfo(float).tiny))[1]
    scale = 2.0 ** float(exponent - 1)  # the squares of large numbers stay finite
    mean, small = _mean(owner, value, parents), value / scale
    around = small - _mean(owner, small, parents)[owner]
    largest = np.full(parents, -np.inf)
    np.maximum.at(largest, owner, value)
    return {
        "mean": mean,
        "spread": scale * np.sqrt(_mean(owner, around**2, parents)),
        "largest": np.where(np.isfinite(largest), largest, np.nan),
    }


def _of_categories(owner: IntArray, value: FloatArray, parents: int) -> dict[str, FloatArray]:
    """Give the number of different categories and the share of the most frequent one of all."""
    pairs = np.unique(np.stack([owner, value.astype(np.int64)]), axis=1)
    return {
        "different": _count(pairs[0], parents),
        "first": _mean(owner, (value == 0).astype(float), parents),
    }


def _steps(
    owner: IntArray, value: FloatArray, order: FloatArray, parents: int, *, ordered: bool
) -> FloatArray:
    """Average the difference of neighbours in order: its size, or for categories whether there is one."""
    sequence = np.lexsort((order, owner))
    owner, value = owner[sequence], value[sequence]
    together = owner[1:] == owner[:-1]
    step = np.abs(np.diff(value)) if ordered else (np.diff(value) != 0).astype(float)
    return _mean(owner[1:][together], step[together], parents)
