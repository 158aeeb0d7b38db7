"""Adversarial random forests (arfpy) at their defaults.

The library takes no missing cells: those of categories become a category, those of numbers the median beside
a column that says whether the cell is missing. Moments go in as seconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from comparison.dataset import MOMENTS
from comparison.peers import Sampler, Task

MISSING = "<missing>"
FLAG = "<is missing>"


def prepare(task: Task) -> pd.DataFrame:
    """Give the rows without missing cells."""
    rows: dict[str, Any] = {}
    for column in task.dataset.judged:
        values = task.split.train[column]
        if column not in task.dataset.ordered:
            rows[column] = values.fillna(MISSING).astype(str).astype(object)
            continue
        if task.dataset.kinds[column] in MOMENTS:
            values = (values - pd.Timestamp("1970-01-01")) / pd.Timedelta(seconds=1)
        if values.isna().any():
            rows[column + FLAG] = values.isna().map({True: "yes", False: "no"}).astype(object)
        rows[column] = values.fillna(values.median())
    return pd.DataFrame(rows)


def restore(made: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Put missing cells and moments back."""
    rows: dict[str, Any] = {}
    for column, kind in task.dataset.kinds.items():
        if column not in made:
            rows[column] = np.arange(len(made))
        elif column in task.dataset.ordered:
            values = made[column].astype(float)
            if column + FLAG in made:
                values = values.mask(made[column + FLAG].astype(str) == "yes")
            rows[column] = pd.to_datetime(values, unit="s") if kind in MOMENTS else values
        else:
            texts = made[column].astype(object)
            rows[column] = texts.where(texts != MISSING, None)
    return pd.DataFrame(rows)


def fit(task: Task) -> Sampler:
    """Grow the forest and estimate the densities of its leaves."""
    from arfpy import arf

    np.random.seed(task.seed)  # the library draws from the global state
    model = arf.arf(x=prepare(task), random_state=task.seed)
    model.forde()
    return lambda count: restore(model.forge(n=count), task)
