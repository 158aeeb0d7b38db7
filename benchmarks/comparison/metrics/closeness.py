"""How near synthetic rows lie to training rows, beside how near held-out rows do.

Gower distance: mean over columns, keys left out, of the difference of two numbers over the range of the
training rows (at most 1), or of 0 and 1 for equal and different categories; a missing cell equals a missing
one and differs from every value by 1.

Near copy: a row with a training row at a distance of at most 0.01. The synthetic rate may be 1.2 times that
of held-out rows and two standard errors more. Nearer to train: the share of synthetic rows nearer to one of m
training rows than to all of the m held-out rows, ties counted half; were the two kinds exchangeable, it would
be one half, with the standard error given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from comparison.dataset import Dataset
from comparison.metrics.features import as_numbers, as_texts

NEAR = 0.01
ALLOWED = 1.2
ABSENT = -1e3  # farther from every scaled value than the largest difference that counts
BLOCK = 128


@dataclass(frozen=True)
class Rows:
    """Rows as scaled numbers CR and category codes KR, one array a column."""

    numbers: np.ndarray
    codes: np.ndarray

    def __len__(self) -> int:
        return self.numbers.shape[1]

    def take(self, places: np.ndarray) -> Rows:
        """Rows at the places."""
        return Rows(self.numbers[:, places], self.codes[:, places])


def encode(frames: list[pd.DataFrame], train: pd.DataFrame, dataset: Dataset) -> list[Rows]:
    """Scale numbers by the training range, number categories alike in all tables."""
    numbers, codes = [[] for _ in frames], [[] for _ in frames]
    for column in dataset.ordered:
        known = as_numbers(train[column])
        known = known[~np.isnan(known)]
        low, high = (known.min(), known.max()) if len(known) else (0.0, 0.0)
        width = high - low if high > low else 1.0
        for frame, target in zip(frames, numbers, strict=True):
            scaled = (as_numbers(frame[column]) - low) / width
            target.append(np.where(np.isnan(scaled), ABSENT, np.clip(scaled, -2, 3)).astype(np.float32))
    for column in dataset.categories:
        texts = [as_texts(frame[column]) for frame in frames]
        together, _ = pd.factorize(np.concatenate(texts))
        parts = np.split(together, np.cumsum([len(part) for part in texts])[:-1])
        for part, target in zip(parts, codes, strict=True):
            target.append(part.astype(np.int32))
    return [
        Rows(
            np.array(left, dtype=np.float32).reshape(-1, len(frame)),
            np.array(right, dtype=np.int32).reshape(-1, len(frame)),
        )
        for frame, left, right in zip(frames, numbers, codes, strict=True)
    ]


def nearest(rows: Rows, reference: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Give for each row the distance to its nearest reference row and that row's place."""
    columns = len(rows.numbers) + len(rows.codes)
    distances, places = np.empty(len(rows), np.float32), np.empty(len(rows), np.int64)
    for start in range(0, len(rows), BLOCK):
        block = rows.take(np.arange(start, min(start + BLOCK, len(rows))))
        total = np.zeros((len(block), len(reference)), np.float32)
        for left, right in zip(block.numbers, reference.numbers, strict=True):
            difference = left[:, None] - right[None, :]
            np.abs(difference, out=difference)
            np.minimum(difference, 1, out=difference)
            total += difference
        for left, right in zip(block.codes, reference.codes, strict=True):
            total += left[:, None] != right[None, :]
        found = total.argmin(axis=1)
        places[start : start + len(block)] = found
        distances[start : start + len(block)] = total[np.arange(len(block)), found] / columns
    return distances, places


def rate(near: np.ndarray) -> dict[str, float]:
    """Share of near copies with its standard error; half a case is added, so that no error is 0."""
    smoothed = (near.sum() + 0.5) / (len(near) + 1)
    return {"rate": float(near.mean()), "error": float(np.sqrt(smoothed * (1 - smoothed) / len(near)))}


def near_copies(made: np.ndarray, held: np.ndarray) -> dict[str, Any]:
    """Compare the distances of synthetic and held-out rows to their nearest training row."""
    synthetic, real = rate(made <= NEAR), rate(held <= NEAR)
    error = float(np.hypot(synthetic["error"], ALLOWED * real["error"]))
    limit = ALLOWED * real["rate"] + 2 * error
    return {
        "synthetic": synthetic,
        "holdout": real,
        "limit": limit,
        "within": bool(synthetic["rate"] <= limit),
        "copies": float((made <= 1e-7).mean()),
        "holdout_copies": float((held <= 1e-7).mean()),
    }


def nearer_to_train(made: Rows, subsets: list[tuple[np.ndarray, np.ndarray]], held: Rows) -> dict[str, Any]:
    """Give the share nearer to train, mean over subsets of training rows, and its error were there no memory.

    One reference row may be the nearest of many synthetic rows. Which references are training rows is
    exchangeable if nothing is remembered, so for one subset the variance is that of drawing m of the 2m
    references without replacement. Half of it comes from the held-out rows, which all subsets share.
    """
    to_held, place_held = nearest(made, held)
    m = len(held)
    shares, variances = [], []
    for to_train, place_train in subsets:
        share = np.where(to_train < to_held, 1.0, np.where(to_train == to_held, 0.5, 0.0))
        weights = np.zeros(2 * m)
        np.add.at(weights, place_train, share)
        np.add.at(weights, m + place_held, 1 - share)
        shares.append(share.mean())
        variances.append(((weights - weights.mean()) ** 2).sum() * m / (2 * (2 * m - 1)) / len(made) ** 2)
    value = float(np.mean(shares))
    error = float(np.sqrt(np.mean(variances) * (1 + 1 / len(subsets)) / 2))
    return {
        "share": value,
        "error": error,
        "interval": [value - 1.96 * error, value + 1.96 * error],
        "within": bool(abs(value - 0.5) <= 1.96 * error),
        "references_each": m,
        "subsets": len(subsets),
    }


def measure(
    train: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, dataset: Dataset
) -> dict[str, Any]:
    """Give near copies and the share nearer to train, over subsets of training rows of the held-out size."""
    learned, held, made = encode([train, holdout, synthetic], train, dataset)
    order = np.random.default_rng(0).permutation(len(learned))
    size = min(len(learned), len(held))
    full = len(learned) // size
    parts = [nearest(made, learned.take(places)) for places in cut(order, size)]
    to_train = np.min([distances for distances, _ in parts], axis=0)
    few = held.take(np.random.default_rng(0).permutation(len(held))[:size])
    return {
        "near_copies": near_copies(to_train, nearest(held, learned)[0]),
        "nearer_to_train": nearer_to_train(made, parts[:full], few),
    }


def cut(order: np.ndarray, size: int) -> list[np.ndarray]:
    """Cut places into parts of one size; the last may be smaller."""
    return [order[start : start + size] for start in range(0, len(order), size)]
