"""Two-sample test by classifier: how well boosted trees tell synthetic from real rows.

The value is the area under the ROC curve of predictions on rows the trees did not see (five folds): 0.5 is
ideal. Both sides have equally many rows. LightGBM has the settings of the outside judge; XGBoost has 200
trees of depth 6, the test that published figures use. The standard error is that of 200 bootstrap samples
of the predictions; it knows nothing of the trees, so two samples of one source differ by about twice as
much.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from comparison.dataset import Dataset
from comparison.metrics.features import featurize

FOLDS = 5
RESAMPLES = 200
FEWEST = 50


def lightgbm_classifier(seed: int) -> Any:
    """Boosted trees as the outside judge has them."""
    from lightgbm import LGBMClassifier

    return LGBMClassifier(
        n_estimators=150,
        learning_rate=0.07,
        num_leaves=31,
        min_child_samples=20,
        n_jobs=1,
        random_state=seed,
        verbose=-1,
    )


def xgboost_classifier(seed: int) -> Any:
    """Two hundred trees of depth 6, all else as the library has it."""
    from xgboost import XGBClassifier

    return XGBClassifier(
        n_estimators=200,
        max_depth=6,
        tree_method="hist",
        enable_categorical=True,
        n_jobs=1,
        random_state=seed,
    )


LEARNERS = {"lightgbm": lightgbm_classifier, "xgboost": xgboost_classifier}


def detect(
    real: pd.DataFrame, synthetic: pd.DataFrame, dataset: Dataset, *, learner: str, rows: int, seed: int = 0
) -> dict[str, Any] | None:
    """Tell the two tables apart; None if one of them has under 50 rows."""
    from sklearn.model_selection import StratifiedKFold

    size = min(len(real), len(synthetic), rows)
    if size < FEWEST:
        return None
    generator = np.random.default_rng(seed)
    sides = [side.iloc[generator.permutation(len(side))[:size]] for side in (real, synthetic)]
    inputs = pd.concat(featurize(sides, dataset, dataset.judged), ignore_index=True)
    names = list(inputs.columns)
    inputs.columns = [f"c{number}" for number in range(len(names))]
    made = np.repeat([0, 1], size)
    scores, gains = np.zeros(2 * size), np.zeros(len(names))
    for learn, judge in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(inputs, made):
        model = LEARNERS[learner](seed).fit(inputs.iloc[learn], made[learn])
        scores[judge] = model.predict_proba(inputs.iloc[judge])[:, 1]
        gains += model.feature_importances_ / max(model.feature_importances_.sum(), 1e-12)
    return {
        "auc": area(made, scores),
        "error": bootstrap_error(made, scores, generator),
        "rows_each": size,
        "telling": [names[place] for place in np.argsort(-gains)[:5]],
    }


def area(made: np.ndarray, scores: np.ndarray) -> float:
    """Chance that a synthetic row scores above a real one, ties counted half."""
    ranks = rankdata(scores)
    positive = int(made.sum())
    negative = len(made) - positive
    return float((ranks[made == 1].sum() - positive * (positive + 1) / 2) / (positive * negative))


def bootstrap_error(made: np.ndarray, scores: np.ndarray, generator: np.random.Generator) -> float:
    """Deviation of the area over resampled rows, both sides kept at their size."""
    sides = [np.flatnonzero(made == side) for side in (0, 1)]
    areas = []
    for _ in range(RESAMPLES):
        places = np.concatenate([generator.choice(side, size=len(side)) for side in sides])
        areas.append(area(made[places], scores[places]))
    return float(np.std(areas, ddof=1))
