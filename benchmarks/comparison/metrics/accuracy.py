"""Accuracy of one, two and three columns at a time: one less the total variation of binned values, averaged.

The bins are tenths of the training rows for numbers and the ten most frequent categories (as mostlyai-qa has
them); the compared distribution is that of the held-out rows. Higher is better, and 1 is not reached even by
real rows: held-out rows are few, so compare with fresh rows or with a copy. Above 3,000 triples, as many are
drawn with a fixed seed.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from comparison.dataset import Dataset
from comparison.metrics.features import BINS, code

CODES = BINS + 2
MOST_TRIPLES = 3000


def total_variation(left: np.ndarray, right: np.ndarray, size: int) -> float:
    """Half the summed difference of the shares of each code, between 0 and 1."""
    shares = [np.bincount(codes, minlength=size) / max(1, len(codes)) for codes in (left, right)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def agreement(left: np.ndarray, right: np.ndarray, groups: list[tuple[int, ...]]) -> float | None:
    """Mean over groups of columns of one less the total variation; codes RC, None without a group."""
    if not groups:
        return None
    found = []
    for group in groups:
        weights = CODES ** np.arange(len(group))
        cells = [codes[:, list(group)] @ weights for codes in (left, right)]
        found.append(1 - total_variation(cells[0], cells[1], CODES ** len(group)))
    return float(np.mean(found))


def measure(
    train: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, dataset: Dataset
) -> dict[str, float | None]:
    """Give the accuracies of columns, pairs and triples, and their mean."""
    real, made = code([holdout, synthetic], dataset, train)
    count = len(dataset.judged)
    triples = list(combinations(range(count), 3))
    if len(triples) > MOST_TRIPLES:
        chosen = np.random.default_rng(0).choice(len(triples), MOST_TRIPLES, replace=False)
        triples = [triples[place] for place in np.sort(chosen)]
    result = {
        "one": agreement(real, made, [(place,) for place in range(count)]),
        "two": agreement(real, made, list(combinations(range(count), 2))),
        "three": agreement(real, made, triples),
    }
    known = [value for value in result.values() if value is not None]
    return {**result, "overall": float(np.mean(known)) if known else None}
