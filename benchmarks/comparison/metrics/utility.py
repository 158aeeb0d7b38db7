"""Utility: boosted trees learn a column from synthetic rows and are judged on held-out real ones.

Beside it stands what they reach from the real training rows; the gap between the two is what is lost.
Several columns are targets: the declared one, and of the other categories and numbers the one in the
middle of the table. A category is judged by the area under the ROC curve (mean over classes against the
rest), a number by R squared of its rank among the training rows: a few huge values would decide it
otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from comparison.dataset import Dataset
from comparison.metrics.detection import area
from comparison.metrics.features import as_numbers, as_texts, featurize, present

SETTINGS = {
    "n_estimators": 200,
    "learning_rate": 0.05,
    "num_leaves": 31,
    "n_jobs": 1,
    "random_state": 0,
    "verbose": -1,
}
MOST_CLASSES = 20
FEWEST_VALUES = 50
FEWEST_ROWS = 5


def targets(train: pd.DataFrame, dataset: Dataset) -> list[str]:
    """The declared target and the middle one of the other categories and of the numbers: the same for all."""
    few = [c for c in dataset.categories if dataset.kinds[c] != "text" and is_class(train[c])]
    many = [c for c in dataset.numbers if train[c].nunique() >= FEWEST_VALUES]
    declared = [dataset.target] if dataset.target in dataset.judged else []
    others = [[c for c in group if c not in declared] for group in (few, many)]
    return [*declared, *(group[len(group) // 2] for group in others if group)]


def is_class(values: pd.Series[Any]) -> bool:
    """Whether there are few values to tell apart."""
    return 2 <= values.nunique() <= MOST_CLASSES


def measure(
    train: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, dataset: Dataset
) -> dict[str, Any]:
    """Give per target what real and synthetic rows reach, and the mean gap."""
    found = {}
    ranks = {c: np.sort(present(train[c])) for c in dataset.numbers}
    for target in targets(train, dataset):
        real, made = (learn(side, holdout, target, dataset, ranks.get(target)) for side in (train, synthetic))
        if real is not None and made is not None:
            found[target] = {"real": real, "synthetic": made, "gap": real - made}
    gaps = [value["gap"] for value in found.values()]
    return {"targets": found, "mean_gap": float(np.mean(gaps)) if gaps else None, "declared": dataset.target}


def learn(
    rows: pd.DataFrame, holdout: pd.DataFrame, target: str, dataset: Dataset, ranks: np.ndarray | None = None
) -> float | None:
    """Learn the target from rows and judge on held-out rows; 0.5 or 0 where the rows hold one value only.

    ``ranks`` holds the sorted values of the training rows if the target is a number.
    """
    sides = [side[side[target].notna()].reset_index(drop=True) for side in (rows, holdout)]
    columns = [c for c in dataset.judged if c != target]
    if len(sides[1]) < FEWEST_ROWS or not columns:
        return None
    inputs = featurize(sides, dataset, columns)
    for table in inputs:
        table.columns = [f"c{number}" for number in range(table.shape[1])]
    if ranks is not None:
        return learn_number(inputs, [rank(as_numbers(side[target]), ranks) for side in sides])
    return learn_category(inputs, [as_texts(side[target]) for side in sides])


def rank(values: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """Share of sorted values below, those that are equal counted half."""
    return (np.searchsorted(ranks, values, "left") + np.searchsorted(ranks, values, "right")) / (
        2 * len(ranks)
    )


def learn_number(inputs: list[pd.DataFrame], values: list[np.ndarray]) -> float:
    """R squared of a regression, not below -1: how bad a useless model is says nothing."""
    from lightgbm import LGBMRegressor

    if len(np.unique(values[0])) < 2:
        return 0.0
    predicted = LGBMRegressor(**SETTINGS).fit(inputs[0], values[0]).predict(inputs[1])
    rest, whole = (values[1] - predicted) ** 2, (values[1] - values[1].mean()) ** 2
    return float(max(-1.0, 1 - rest.sum() / max(whole.sum(), 1e-300)))


def learn_category(inputs: list[pd.DataFrame], values: list[np.ndarray]) -> float | None:
    """Mean area under the ROC curve of each class with at least five held-out rows against the rest."""
    from lightgbm import LGBMClassifier

    counts = pd.Series(values[1]).value_counts()
    classes = [c for c, n in counts.items() if FEWEST_ROWS <= n <= len(values[1]) - FEWEST_ROWS]
    if not classes:
        return None
    if len(set(values[0])) < 2:
        return 0.5
    model = LGBMClassifier(**SETTINGS).fit(inputs[0], values[0])
    shares = dict(zip(model.classes_, model.predict_proba(inputs[1]).T, strict=True))
    nothing = np.zeros(len(values[1]))
    return float(np.mean([area((values[1] == c).astype(int), shares.get(c, nothing)) for c in classes]))
