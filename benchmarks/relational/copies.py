"""Near copies of every table: the measure of single tables, on rows drawn from each table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from comparison.dataset import Dataset
from comparison.metrics import closeness

from relational.database import Database, primary_key

QUERIES = 2000


def some(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """At most QUERIES rows, at random."""
    places = np.random.default_rng(seed).permutation(len(table))[:QUERIES]
    return table.iloc[places]


def measure(train: Database, holdout: Database, made: Database, table: str) -> dict[str, Any] | None:
    """Compare synthetic and held-out rows with all training rows; None where there is nothing to compare.

    So it is with tables without values of their own, and with those that the split leaves whole: their
    held-out rows are their training rows.
    """
    kinds = {c: train.schema["tables"][table]["columns"][c] for c in train.judged(table)}
    parts = [database.tables[table] for database in (train, holdout, made)]
    if not kinds or min(len(part) for part in parts) == 0 or parts[0].equals(parts[1]):
        return None
    dataset = Dataset(table, table, kinds, primary_key(train.schema, table), None)
    queries = [some(parts[1], 1), some(parts[2], 2)]
    learned, held, drawn = closeness.encode([parts[0], *queries], parts[0], dataset)
    if not len(learned.numbers) + len(learned.codes):
        return None
    near = [closeness.nearest(rows, learned)[0] for rows in (drawn, held)]
    return closeness.near_copies(near[0], near[1])
