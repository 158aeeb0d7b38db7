"""Smoothed bootstrap: training rows drawn with replacement, numbers blurred by a Gaussian kernel.

The bandwidth is Silverman's rule of thumb for one column, 0.9 min(deviation, quartile range / 1.34) n^(-1/5);
categories, moments and missing cells stay as drawn.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from comparison.peers import Sampler, Task


def fit(task: Task) -> Sampler:
    """Measure the bandwidths."""
    train, numbers = task.split.train, task.dataset.numbers
    widths = {c: bandwidth(train[c].dropna().to_numpy(dtype=float)) for c in numbers}
    generator = np.random.default_rng(task.seed)

    def sample(count: int) -> pd.DataFrame:
        drawn = train.iloc[generator.integers(len(train), size=count)].reset_index(drop=True)
        for column, width in widths.items():
            drawn[column] = drawn[column] + width * generator.standard_normal(count)
        return drawn

    return sample


def bandwidth(values: np.ndarray) -> float:
    """Silverman's rule of thumb; the deviation alone where half of the values are equal."""
    if len(values) < 2:
        return 0.0
    quarter, three_quarters = np.quantile(values, [0.25, 0.75])
    deviation = float(np.std(values, ddof=1))
    spread = float(three_quarters - quarter) / 1.34
    return 0.9 * (min(deviation, spread) if spread > 0 else deviation) * len(values) ** -0.2
