"""Measure conditional draws and imputation on one table with rows that the model never saw.

    python benchmarks/conditions.py TABLE.csv [--fix COLUMN] [--rows 12500] [--seeds 3] [--holes 0.2]

Fits on the first ROWS shuffled rows, once with each seed. Prints, for free rows and for each of the two most
frequent values of COLUMN fixed, the two-sample AUC (LightGBM, five folds) against fresh real rows of that
value and its excess over real against real; then, for each column, imputation of a share of all cells of
fresh rows: mean absolute error (numbers) or share of right values (others) of ``best`` and ``draw`` beside
median or mode.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import polars as pl
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

import kinsynth

MOST_FRESH = 30_000
COMPARED, IMPUTED = 2_300, 4_000


def two_sample(real: pl.DataFrame, other: pl.DataFrame, seed: int) -> float:
    """Give the AUC of a classifier between two tables, rows of both cut to the fewer."""
    rows = min(len(real), len(other))
    both = pl.concat([real.head(rows), other.head(rows)])
    texts = [name for name, kind in both.schema.items() if kind == pl.String]
    x = both.with_columns(pl.col(texts).cast(pl.Categorical).to_physical()).to_numpy().astype(float)
    y, chance = np.repeat([0, 1], rows), np.zeros(2 * rows)
    places = [both.columns.index(name) for name in texts]
    for known, asked in StratifiedKFold(5, shuffle=True, random_state=seed).split(x, y):
        judge = lightgbm.LGBMClassifier(n_estimators=100, verbose=-1, n_jobs=1, random_state=seed)
        judge.fit(x[known], y[known], categorical_feature=places)
        chance[asked] = judge.predict_proba(x[asked])[:, 1]
    return float(roc_auc_score(y, chance))


def compare_draws(models: list[Any], fresh: pl.DataFrame, column: str) -> None:
    """Print the excess of free and of conditional draws, over one draw of each model."""
    values = fresh[column].value_counts(sort=True)[column].head(2).to_list()
    for value in [None, *values]:
        excess = []
        for seed, model in enumerate(models):
            pool = fresh if value is None else fresh.filter(pl.col(column) == value)
            pool = pool.sample(fraction=1.0, shuffle=True, seed=seed)
            rows = min(COMPARED, len(pool) // 2)
            given = None if value is None else {"table": {column: value}}
            drawn = model.sample({"table": rows}, seed, given=given)["table"]
            ceiling = two_sample(pool.head(rows), pool.tail(rows), seed)
            excess.append(two_sample(pool.head(rows), drawn, seed) - max(0.5, ceiling))
        what = "free rows" if value is None else f"value {values.index(value) + 1} of {column}"
        spread = np.std(excess) / max(1, len(models) - 1) ** 0.5
        each = ", ".join(f"{one:.4f}" for one in excess)
        print(
            f"{what:20} excess {np.median(excess):7.4f} ({each})  mean {np.mean(excess):.4f} +- {spread:.4f}"
        )


def compare_fillings(model: Any, train: pl.DataFrame, fresh: pl.DataFrame, share: float) -> None:
    """Print how near filled cells are to the truth."""
    holes = np.random.default_rng(1).random(fresh.shape) < share
    given = fresh.with_columns(
        pl.when(pl.Series(holes[:, n])).then(None).otherwise(pl.col(name)).alias(name)
        for n, name in enumerate(fresh.columns)
    )
    filled = {}
    for method in ("best", "draw"):
        begun = time.process_time()
        filled[method] = model.impute(given, method=method, seed=5)
        print(f"{method}: {(time.process_time() - begun) / len(given) * 1e3:.1f} CPU ms a row")
    for n, name in enumerate(fresh.columns):
        asked = pl.Series(holes[:, n]) & fresh[name].is_not_null()
        truth, number = fresh[name].filter(asked), fresh[name].dtype.is_numeric()
        plain = train[name].median() if number else train[name].drop_nulls().mode().sort()[0]
        guesses = {
            "plain": pl.Series([plain] * len(truth)),
            **{method: table[name].filter(asked) for method, table in filled.items()},
        }
        found = {
            method: (truth - guess).abs() if number else (truth == guess).cast(pl.Float64)
            for method, guess in guesses.items()
        }
        gain = (found["plain"] - found["best"]) * (1 if number else -1)
        score = gain.mean() / max(gain.std() / len(gain) ** 0.5, 1e-12)
        print(
            f"{name:24} {'error' if number else 'right'} plain {found['plain'].mean():.4g} "
            f"best {found['best'].mean():.4g} draw {found['draw'].mean():.4g} z {score:.1f}"
        )


def main() -> None:
    """Fit, then measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", type=Path)
    parser.add_argument("--fix", default="")
    parser.add_argument("--rows", type=int, default=12_500)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--holes", type=float, default=0.2)
    options = parser.parse_args()
    table = pl.read_csv(options.table, infer_schema_length=None).sample(fraction=1.0, shuffle=True, seed=0)
    train, fresh = table.head(options.rows), table.slice(options.rows, MOST_FRESH)
    models = [
        kinsynth.fit({"table": train}, kinsynth.Synthesis(generation={"seed": seed}))
        for seed in range(options.seeds)
    ]
    if options.fix:
        compare_draws(models, fresh, options.fix)
    compare_fillings(models[0], train, fresh.head(IMPUTED), options.holes)


if __name__ == "__main__":
    main()
