"""Made-up tables on which the right value of each metric is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
from comparison.dataset import Dataset

MIXED = Dataset(
    name="made",
    table="made",
    kinds={
        "id": "id",
        "age": "integer",
        "income": "numeric",
        "job": "categorical",
        "employer": "categorical",
        "start": "date",
        "happy": "boolean",
    },
    key=("id",),
    target="happy",
)


def draw(rows: int, seed: int) -> pd.DataFrame:
    """Rows with strong dependence; nobody without a job has an employer or a start."""
    generator = np.random.default_rng(seed)
    age = generator.integers(18, 80, rows)
    job = np.where(age > 65, "none", generator.choice(["clerk", "cook", "driver"], rows))
    income = np.round(200.0 * age + 3000 * (job == "cook") + generator.normal(0, 500, rows), 1)
    working = job != "none"
    employer = np.where(working, generator.choice(["A", "B"], rows), None)
    start = pd.Timestamp("2000-01-01") + pd.to_timedelta(generator.integers(0, 8000, rows), unit="D")
    happy = np.where(income + generator.normal(0, 1500, rows) > 10_000, "yes", "no")
    return pd.DataFrame(
        {
            "id": pd.Series([str(n) for n in range(seed * rows, (seed + 1) * rows)], dtype=object),
            "age": age.astype(float),
            "income": income,
            "job": pd.Series(job, dtype=object),
            "employer": pd.Series(employer, dtype=object),
            "start": pd.Series(start).where(working),
            "happy": pd.Series(happy, dtype=object),
        }
    )


def shuffle(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Every column on its own."""
    generator = np.random.default_rng(seed)
    return pd.DataFrame({c: table[c].to_numpy()[generator.permutation(len(table))] for c in table})
