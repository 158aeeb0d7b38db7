"""Marginals: the distribution of one column, in cells that are allowed to be shown.

A category is named only when enough subjects hold it; the ends of an axis are values that many subjects lie
beyond. Everything else is pooled.
"""

from __future__ import annotations

import numpy as np

from kinsynth.evaluation.results import Distribution, Scale
from kinsynth.evaluation.variables import FloatArray, IntArray, Variable
from kinsynth.privacy.protection import Numbered, count_roots, extremes, number_of_roots
from kinsynth.settings.privacy import Protection

_CATEGORIES = 10
_CELLS = 20
_DISTINCT = 12
POOLED = "(other)"


def shares(counts: IntArray | FloatArray) -> tuple[float, ...]:
    """Divide counts by their sum, to four decimals; nothing counted gives zeros."""
    total = counts.sum()
    return tuple(float(share) for share in np.round(counts / total if total else counts * 0.0, 4))


def missing_shares(variable: Variable) -> tuple[float, ...]:
    """Give the share of missing values in each part."""
    return tuple(round(float(np.isnan(part).mean()), 4) if len(part) else 0.0 for part in variable.parts)


def protected_ends(values_R: FloatArray, subject_R: Numbered, minimum: int) -> tuple[float, float] | None:
    """Give the outermost values that ``minimum`` subjects lie at or beyond; None if there are none."""
    if number_of_roots(subject_R) < minimum:
        return None
    low, high = extremes(values_R, subject_R, minimum=minimum)
    return (low, high) if low <= high else None


def scale_of(variable: Variable) -> Scale:
    """Tell what the numbers of an ordered variable mean."""
    kind = variable.column.storage
    for start, scale in (("date", "date"), ("timestamp", "datetime"), ("time", "time")):
        if kind.startswith(start):
            return scale  # type: ignore[return-value]
    return "number"


def show(variable: Variable, subject_R: Numbered, protection: Protection) -> Distribution | None:
    """Give the distribution of the values that are not missing; None where nothing may be shown.

    Guarantees:
        A named category is held by at least ``rare_minimum`` subjects of the original. At least
        ``extreme_minimum`` subjects of the original lie at or beyond each end of the axis. So it is by each
        unit of protection.
    """
    if variable.labels is not None:
        return _show_categories(variable, subject_R, protection)
    present = ~np.isnan(variable.parts[0])
    ends = protected_ends(variable.parts[0][present], subject_R[present], protection.extreme_minimum)
    if ends is None:
        return None
    return _show_numbers(variable, ends)


def _show_categories(variable: Variable, subject_R: Numbered, protection: Protection) -> Distribution | None:
    """Name the most frequent categories that may be named, pool the others."""
    labels = variable.labels or ()
    present = ~np.isnan(variable.parts[0])
    holders = count_roots(variable.parts[0][present].astype(np.int64), subject_R[present], codes=len(labels))
    named = np.flatnonzero(holders >= protection.rare_minimum)[:_CATEGORIES]
    if not len(labels) or not present.any():
        return None
    cell = np.full(len(labels), len(named))
    cell[named] = np.arange(len(named))
    counts = [
        np.bincount(cell[part[~np.isnan(part)].astype(np.int64)], minlength=len(named) + 1)
        for part in variable.parts
    ]
    names = [labels[code] for code in named]
    if any(part[-1] for part in counts):
        names.append(POOLED)
    else:
        counts = [part[:-1] for part in counts]
    return _distribution(counts, labels=tuple(names))


def _show_numbers(variable: Variable, ends: tuple[float, float]) -> Distribution:
    """Count values in cells of equal width; values beyond the ends belong to the outermost cells."""
    low, high = ends
    if low == high:
        edges = low + np.array([-1, 1]) * max(0.5, abs(low) * 1e-6)
    elif variable.column.type == "integer" and high - low < _DISTINCT:
        edges = np.arange(low - 0.5, high + 1)
    else:
        edges = np.linspace(low, high, _CELLS + 1)
    counts = [
        np.histogram(np.clip(part[~np.isnan(part)], edges[0], edges[-1]), edges)[0] for part in variable.parts
    ]
    return _distribution(counts, edges=tuple(float(edge) for edge in edges), scale=scale_of(variable))


def _distribution(
    counts: list[IntArray],
    *,
    labels: tuple[str, ...] = (),
    edges: tuple[float, ...] = (),
    scale: Scale = "number",
) -> Distribution:
    """Turn the counts of each part into shares."""
    parts = [shares(part) for part in counts]
    return Distribution(
        labels=labels,
        edges=edges,
        scale=scale,
        original=parts[0],
        synthetic=parts[1],
        holdout=parts[2] if len(parts) > 2 else None,
    )
