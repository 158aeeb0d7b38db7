"""Judge the rows of one cell by every metric. Runs in the environment of the metrics.

    python -m comparison.scoring SCORING.json

Writes scores.json beside: all figures against held-out rows, and the two-sample test against the training
rows too.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from comparison.dataset import Dataset, Split, halves, load_dataset, load_split, read_table
from comparison.metrics import accuracy, closeness, detection, missingness, numbers, trends, utility
from comparison.worker import confine, version

PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "lightgbm", "xgboost-cpu")


def measures(
    split: Split, made: pd.DataFrame, dataset: Dataset, classifier_rows: int
) -> dict[str, Callable[[], Any]]:
    """Every metric by name."""
    train, held = split.train, split.holdout
    real = pd.concat([train, held], ignore_index=True)

    def against(side: pd.DataFrame, learner: str) -> Callable[[], Any]:
        return lambda: detection.detect(side, made, dataset, learner=learner, rows=classifier_rows)

    return {
        "lightgbm": against(held, "lightgbm"),
        "xgboost": against(held, "xgboost"),
        "xgboost_train": against(train, "xgboost"),
        "accuracy": lambda: accuracy.measure(train, held, made, dataset),
        "shape": lambda: trends.shape(held, made, dataset),
        "trend": lambda: trends.trend(held, made, dataset),
        "dependence": lambda: trends.dependence(train, held, made, dataset),
        "utility": lambda: utility.measure(train, held, made, dataset),
        "tail_error": lambda: numbers.tail_error(real, made, dataset),
        "spike_error": lambda: numbers.spike_error(real, made, dataset),
        "lattice_violations": lambda: numbers.violations(real, made, dataset),
        "missing_pattern": lambda: missingness.pattern_distance(held, made, dataset),
        "missing_rule": lambda: missingness.rule_share(real, made, dataset),
        "closeness": lambda: closeness.measure(train, held, made, dataset),
    }


def score(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Judge the rows in a folder."""
    source = Path(job["source"])
    dataset = load_dataset(source)
    split = load_split(source, dataset, cap=job["cap"], kind=job["split"], learn=job.get("learn"))
    if job["peer"] == "fresh" and split.fresh is None:
        split = Split(split.train, halves(split.holdout, job["seed"])[1], None)
    made = read_table(folder / "synthetic.csv", dataset)
    scores: dict[str, Any] = {"seconds": {}, "versions": {name: version(name) for name in PACKAGES}}
    for name, measure in measures(split, made, dataset, job["classifier_rows"]).items():
        start = time.perf_counter()
        scores[name] = measure()
        scores["seconds"][name] = round(time.perf_counter() - start, 2)
    return scores


def main() -> None:
    """Score the cell that the argument names."""
    path = Path(sys.argv[1])
    job = json.loads(path.read_text(encoding="utf-8"))
    confine(job["cores"])
    scores = score(job, path.parent)
    (path.parent / "scores.json").write_text(json.dumps(scores, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
