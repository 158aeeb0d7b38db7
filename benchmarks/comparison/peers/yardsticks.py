"""Rows that need no model: fresh real ones (the ceiling), a copy, shuffled columns (the floor)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from comparison.dataset import halves
from comparison.peers import Sampler, Task


def fit(task: Task) -> Sampler:
    """Choose the yardstick."""
    return {"fresh": draw_fresh, "copy": copy, "independent": shuffle}[task.options["yardstick"]](task)


def draw_fresh(task: Task) -> Sampler:
    """Real rows in neither part; where there are none, half of the held-out rows."""
    fresh = task.split.fresh
    rows = halves(task.split.holdout, task.seed)[0] if fresh is None else fresh
    return rows.head


def copy(task: Task) -> Sampler:
    """The training rows themselves."""
    return task.split.train.head


def shuffle(task: Task) -> Sampler:
    """Each column drawn from its own values, without regard to the others."""
    train = task.split.train
    generator = np.random.default_rng(task.seed)

    def sample(count: int) -> pd.DataFrame:
        columns = {c: train[c].to_numpy()[draw(generator, len(train), count)] for c in train.columns}
        return pd.DataFrame(columns)

    return sample


def draw(generator: np.random.Generator, rows: int, count: int) -> np.ndarray:
    """Places of ``count`` rows: a permutation, begun again when it is used up."""
    rounds = -(-count // rows)
    return np.concatenate([generator.permutation(rows) for _ in range(rounds)])[:count]
