"""Sequential synthesis with classification and regression trees, as the R package synthpop made it known.

The first column is drawn from its values; each further column has a tree over the columns before it, and a
row draws a real value of the leaf it falls into (Reiter 2005). Leaves hold at least five rows. Missing cells
of numbers and moments are an outcome of their own: a tree decides whether the cell is missing, another what
it holds. Categories enter a tree as 0/1 columns up to 20 values, beyond that as the rank of their frequency.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from comparison.peers import Sampler, Task

LEAF = 5
ONE_HOT = 20
MISSING = "<missing>"


@dataclass(frozen=True)
class Leaves:
    """A tree and the places of the training rows by leaf."""

    tree: Any
    rows_by_leaf: dict[int, np.ndarray]

    def draw(self, inputs: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Give for each row the place of a training row of its leaf."""
        leaves = self.tree.apply(inputs)
        places = np.empty(len(leaves), dtype=np.int64)
        for leaf in np.unique(leaves):
            here = leaves == leaf
            places[here] = generator.choice(self.rows_by_leaf[int(leaf)], size=int(here.sum()))
        return places


@dataclass(frozen=True)
class Encoder:
    """Turns one column into the inputs of a tree."""

    values: tuple[str, ...] | None

    def encode(self, column: pd.Series[Any]) -> np.ndarray:
        """Numbers with a flag for missing, or categories as 0/1 or by rank."""
        if self.values is None:
            numbers = as_numbers(column)
            absent = np.isnan(numbers)
            return np.column_stack([np.where(absent, 0.0, numbers), absent])
        texts = column.fillna(MISSING).astype(str)
        ranks = texts.map({value: rank for rank, value in enumerate(self.values)}).to_numpy(dtype=float)
        if len(self.values) > ONE_HOT:
            return ranks[:, None]
        return (ranks[:, None] == np.arange(len(self.values))).astype(float)


def as_numbers(column: pd.Series[Any]) -> np.ndarray:
    """Numbers as they are, moments as seconds."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return ((column - pd.Timestamp("1970-01-01")) / pd.Timedelta(seconds=1)).to_numpy(dtype=float)
    return column.to_numpy(dtype=float)


def grow(inputs: np.ndarray, outcome: np.ndarray, rows: np.ndarray, *, classify: bool, seed: int) -> Leaves:
    """Grow one tree over the named rows."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeClassifier if classify else DecisionTreeRegressor
    tree = kind(min_samples_leaf=LEAF, random_state=seed).fit(inputs[rows], outcome[rows])
    leaves = tree.apply(inputs[rows])
    return Leaves(tree, {int(leaf): rows[leaves == leaf] for leaf in np.unique(leaves)})


def fit(task: Task) -> Sampler:
    """Grow the trees of all judged columns, in the order of the table."""
    train, dataset = task.split.train, task.dataset
    columns, blocks, steps = dataset.judged, [], []
    encoders = {}
    for column in columns:
        inputs = np.hstack([np.zeros((len(train), 1)), *blocks])
        ordered = column in dataset.ordered
        steps.append(fit_column(train[column], inputs, ordered=ordered, seed=task.seed))
        texts = train[column].fillna(MISSING).astype(str) if not ordered else None
        encoders[column] = Encoder(None if texts is None else tuple(texts.value_counts().index))
        blocks.append(encoders[column].encode(train[column]))
    generator = np.random.default_rng(task.seed)

    def sample(count: int) -> pd.DataFrame:
        made: dict[str, Any] = {}
        inputs = np.zeros((count, 1))
        for column, step in zip(columns, steps, strict=True):
            made[column] = train[column].iloc[draw_column(step, inputs, generator)].reset_index(drop=True)
            inputs = np.hstack([inputs, encoders[column].encode(made[column])])
        keys = {c: np.arange(count) for c in dataset.kinds if c not in made}
        return pd.DataFrame({**made, **keys})

    return sample


def fit_column(
    column: pd.Series[Any], inputs: np.ndarray, *, ordered: bool, seed: int
) -> tuple[Leaves, Leaves | None]:
    """Give the tree of a category, or the trees of whether a number is there and which."""
    everywhere = np.arange(len(column))
    if not ordered:
        codes = pd.factorize(column.fillna(MISSING).astype(str))[0]
        return grow(inputs, codes, everywhere, classify=True, seed=seed), None
    present = column.notna().to_numpy()
    value = grow(inputs, as_numbers(column), np.flatnonzero(present), classify=False, seed=seed)
    if present.all():
        return value, None
    return grow(inputs, present, everywhere, classify=True, seed=seed), value


def draw_column(
    step: tuple[Leaves, Leaves | None], inputs: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Places of training rows from which one column takes its values."""
    first, second = step
    places = first.draw(inputs, generator)
    if second is None:
        return places
    missing = ~np.isin(places, np.concatenate(list(second.rows_by_leaf.values())))
    return np.where(missing, places, second.draw(inputs, generator))
