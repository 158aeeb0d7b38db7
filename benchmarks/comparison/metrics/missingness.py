"""Missing cells: which columns are missing together, and whether they are where the source makes them.

Pattern: total variation between the held-out and the synthetic shares of patterns of missing cells, 0 is
ideal. Rule: where every one of at least 30 real rows with a category's value lacks another column, that
column being there elsewhere, the share of synthetic rows with that value that lack it; 1 is ideal.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from comparison.dataset import Dataset
from comparison.metrics.accuracy import total_variation
from comparison.metrics.features import MISSING, as_texts

FEWEST_ROWS = 30


def pattern_distance(real: pd.DataFrame, made: pd.DataFrame, dataset: Dataset) -> float | None:
    """Total variation of patterns; None where neither side has a missing cell."""
    absent = [side[dataset.judged].isna().to_numpy() for side in (real, made)]
    if not absent[0].any() and not absent[1].any():
        return None
    together = np.concatenate(absent)
    _, codes = np.unique(together, axis=0, return_inverse=True)
    codes = codes.ravel()
    return total_variation(codes[: len(absent[0])], codes[len(absent[0]) :], int(codes.max()) + 1)


def rules(real: pd.DataFrame, dataset: Dataset) -> list[tuple[str, str, str]]:
    """Find (category, value, column that is then always missing)."""
    gaps = {c: real[c].isna().to_numpy() for c in dataset.judged}
    partly = [c for c, gap in gaps.items() if gap.any() and not gap.all()]
    found = []
    for category in dataset.categories if partly else []:
        texts = as_texts(real[category])
        for value, count in pd.Series(texts).value_counts().items():
            if count >= FEWEST_ROWS and value != MISSING:
                here = texts == value
                found += [(category, str(value), c) for c in partly if c != category and gaps[c][here].all()]
    return found


def rule_share(real: pd.DataFrame, made: pd.DataFrame, dataset: Dataset) -> float | None:
    """Mean over rules of the share of synthetic rows that keep it; None without a rule that applies."""
    shares = []
    for category, value, column in rules(real, dataset):
        here = as_texts(made[category]) == value
        if here.any():
            shares.append(float(made[column].isna().to_numpy()[here].mean()))
    return float(np.mean(shares)) if shares else None
