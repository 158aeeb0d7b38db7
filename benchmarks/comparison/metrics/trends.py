"""Shape and Trend, as the papers on tabular diffusion give them, and agreement of dependence in bits.

Shape: mean over columns of one less the Kolmogorov-Smirnov distance (ordered values) or the total variation
(categories). Trend: mean over pairs; two ordered columns give one less half the difference of their
correlations, all other pairs one less the total variation of their joint table, ordered values cut into ten
cells of equal width of the real range. Both compare with held-out rows; higher is better.

Dependence: normalised mutual information of each pair of binned columns (mutual information over the square
root of the two entropies), real and synthetic. The agreement is one less the summed absolute difference over
the summed larger one, so that a pair weighs as much as it depends: 1 is ideal, independent columns get about
0.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from comparison.dataset import Dataset
from comparison.metrics.accuracy import CODES, total_variation
from comparison.metrics.features import as_numbers, as_texts, code

WIDTHS = 10


def shape(real: pd.DataFrame, made: pd.DataFrame, dataset: Dataset) -> float | None:
    """Mean agreement of single columns; a column without any value on one side counts 0."""
    found = [column_shape(real[c], made[c], ordered=c in dataset.ordered) for c in dataset.judged]
    return float(np.mean(found)) if found else None


def column_shape(real: pd.Series[Any], made: pd.Series[Any], *, ordered: bool) -> float:
    """Agreement of one column, missing cells left out."""
    from scipy.stats import ks_2samp

    present = [side[side.notna()] for side in (real, made)]
    if not len(present[0]) or not len(present[1]):
        return float(len(present[0]) == len(present[1]))
    if ordered:
        return 1 - float(ks_2samp(as_numbers(present[0]), as_numbers(present[1]), method="asymp").statistic)
    codes, size = shared_codes(as_texts(present[0]), as_texts(present[1]))
    return 1 - total_variation(*codes, size)


def shared_codes(real: np.ndarray, made: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], int]:
    """Number the values of both sides alike."""
    codes, values = pd.factorize(np.concatenate([real, made]))
    return (codes[: len(real)], codes[len(real) :]), len(values)


def trend(real: pd.DataFrame, made: pd.DataFrame, dataset: Dataset) -> float | None:
    """Mean agreement of pairs of columns."""
    cells = {c: cut(real[c], made[c], ordered=c in dataset.ordered) for c in dataset.judged}
    numbers = {c: (as_numbers(real[c]), as_numbers(made[c])) for c in dataset.ordered}
    found = []
    for left, right in combinations(dataset.judged, 2):
        if left in numbers and right in numbers:
            both = [correlation(numbers[left][side], numbers[right][side]) for side in (0, 1)]
            if both[0] is not None:
                found.append(1 - abs(both[0] - (both[1] or 0.0)) / 2)
        else:
            joint = [cells[left][0][side] * cells[right][1] + cells[right][0][side] for side in (0, 1)]
            codes, size = shared_codes(*joint)
            found.append(1 - total_variation(*codes, size))
    return float(np.mean(found)) if found else None


def cut(
    real: pd.Series[Any], made: pd.Series[Any], *, ordered: bool
) -> tuple[tuple[np.ndarray, np.ndarray], int]:
    """Codes of both sides: ordered values by cells of equal width, missing one of its own."""
    if not ordered:
        return shared_codes(as_texts(real), as_texts(made))
    numbers = [as_numbers(side) for side in (real, made)]
    known = numbers[0][~np.isnan(numbers[0])]
    inner = np.linspace(known.min(), known.max(), WIDTHS + 1)[1:-1] if len(known) else np.empty(0)
    codes = [np.where(np.isnan(n), WIDTHS, np.searchsorted(inner, n)) for n in numbers]
    return (codes[0], codes[1]), WIDTHS + 1


def correlation(left: np.ndarray, right: np.ndarray) -> float | None:
    """Pearson's coefficient of the rows where both are there; None where one of them is constant."""
    both = ~(np.isnan(left) | np.isnan(right))
    left, right = left[both], right[both]
    if len(left) < 2 or np.ptp(left) == 0 or np.ptp(right) == 0:
        return None
    return float(np.corrcoef(left, right)[0, 1])


def mutual_information(left: np.ndarray, right: np.ndarray) -> float:
    """Normalised mutual information of two columns of codes; 0 where one of them is constant."""
    joint = np.bincount(left * CODES + right, minlength=CODES**2).reshape(CODES, CODES) / len(left)
    sides = joint.sum(axis=1), joint.sum(axis=0)
    entropies = [entropy(side) for side in sides]
    if min(entropies) <= 0:
        return 0.0
    return max(0.0, sum(entropies) - entropy(joint.ravel())) / float(np.sqrt(entropies[0] * entropies[1]))


def entropy(shares: np.ndarray) -> float:
    """Entropy in nats."""
    positive = shares[shares > 0]
    return float(-(positive * np.log(positive)).sum())


def dependence(train: pd.DataFrame, real: pd.DataFrame, made: pd.DataFrame, dataset: Dataset) -> float | None:
    """Agreement of dependence, weighted by how dependent a pair is; bins of the training rows."""
    sides = code([real, made], dataset, train)
    pairs = list(combinations(range(len(dataset.judged)), 2))
    found = np.array([[mutual_information(s[:, i], s[:, j]) for s in sides] for i, j in pairs])
    if not pairs or found.max() <= 0:
        return None
    return float(1 - np.abs(found[:, 0] - found[:, 1]).sum() / found.max(axis=1).sum())
