"""Data sets of the benchmark: one table as CSV beside a schema.json, and how it is split.

schema.json names the table, its columns with their kinds, its primary key and the target. The split is the
one of the outside judge, so that figures can be laid side by side: rows are shuffled with one seed, the first
``cap`` of them are cut 80/20 into training and held-out rows, and rows beyond the cap are fresh ones.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SEED = 2026
NUMBERS = ("numeric", "integer", "coordinates")
MOMENTS = ("date", "datetime")
SMALLEST = 50


@dataclass(frozen=True)
class Dataset:
    """What schema.json says of one table."""

    name: str
    table: str
    kinds: dict[str, str]
    key: tuple[str, ...]
    target: str | None

    @property
    def judged(self) -> list[str]:
        """Columns that metrics look at: everything but keys."""
        return [c for c, kind in self.kinds.items() if kind != "id" and c not in self.key]

    @property
    def numbers(self) -> list[str]:
        """Judged columns that hold numbers."""
        return [c for c in self.judged if self.kinds[c] in NUMBERS]

    @property
    def ordered(self) -> list[str]:
        """Judged columns whose values can be subtracted: numbers and moments."""
        return [c for c in self.judged if self.kinds[c] in NUMBERS + MOMENTS]

    @property
    def categories(self) -> list[str]:
        """Judged columns whose values are only equal or not."""
        return [c for c in self.judged if c not in self.ordered]


@dataclass(frozen=True)
class Split:
    """Rows to learn from, rows never shown, and fresh rows in neither (None where the cap left too few)."""

    train: pd.DataFrame
    holdout: pd.DataFrame
    fresh: pd.DataFrame | None


def load_dataset(folder: Path) -> Dataset:
    """Read schema.json.

    Raises:
        ValueError: If the folder holds several tables: those are for judge.py, which joins parents and
        children.
    """
    schema = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    if len(schema["tables"]) != 1:
        raise ValueError(
            f"{folder.name} has {len(schema['tables'])} tables; compare takes one, judge.py takes databases"
        )
    ((table, description),) = schema["tables"].items()
    key = description.get("primary_key") or ()
    target = schema.get("target") or {}
    return Dataset(
        name=schema["name"],
        table=table,
        kinds=dict(description["columns"]),
        key=(key,) if isinstance(key, str) else tuple(key),
        target=target.get("column"),
    )


def read_table(path: Path, dataset: Dataset) -> pd.DataFrame:
    """Read a CSV file as the kinds say; an empty cell, or one that cannot be read as its kind, is missing."""
    texts = {c: "str" for c, kind in dataset.kinds.items() if kind not in NUMBERS}
    raw = pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=[""], low_memory=False)
    return pd.DataFrame({c: as_kind(raw[c], kind) for c, kind in dataset.kinds.items()})


def as_kind(values: pd.Series[Any], kind: str) -> pd.Series[Any]:
    """Convert one column: numbers to float, moments to datetime, all else to str or None."""
    if kind in NUMBERS:
        return pd.to_numeric(values, errors="coerce").astype(float)
    if kind in MOMENTS:
        return pd.to_datetime(values, errors="coerce", format="mixed")
    present = values.notna()
    texts = np.full(len(values), None, dtype=object)
    texts[present.to_numpy()] = [str(value) for value in values[present]]
    return pd.Series(texts, index=values.index, dtype=object)


def write_table(path: Path, table: pd.DataFrame, dataset: Dataset) -> None:
    """Write what a peer made: whole numbers without decimals, dates without time of day."""
    written = table[list(dataset.kinds)].copy()
    for column, kind in dataset.kinds.items():
        if kind == "integer":
            written[column] = pd.to_numeric(written[column], errors="coerce").round().astype("Int64")
        elif kind == "date":
            moments = pd.to_datetime(written[column], errors="coerce", format="mixed")
            written[column] = moments.dt.strftime("%Y-%m-%d")
    written.to_csv(path, index=False)


def load_split(
    folder: Path, dataset: Dataset, *, cap: int, kind: str = "judge", learn: int | None = None
) -> Split:
    """Read the table and split it; ``kind`` is judge (80/20 within the cap) or half (see split_in_half).

    ``learn`` keeps that many of the training rows, to see what is made of few; held-out and fresh rows stay.
    """
    rows = read_table(folder / f"{dataset.table}.csv", dataset)
    split = split_in_half(rows) if kind == "half" else split_as_judge(rows, cap)
    if learn is None or learn >= len(split.train):
        return split
    places = np.random.default_rng(SEED).permutation(len(split.train))[:learn]
    return Split(take(split.train, places), split.holdout, split.fresh)


def split_as_judge(rows: pd.DataFrame, cap: int) -> Split:
    """Cut the first ``cap`` of the shuffled rows 80/20; the rest is fresh if it is a fifth of them.

    A cap of 0 means no cap.
    """
    order = np.random.default_rng(SEED).permutation(len(rows))
    within = order[: max(SMALLEST, cap)] if cap and len(rows) > cap else order
    rest = order[len(within) :]
    count = round(0.8 * len(within))
    fresh = take(rows, rest[:count]) if len(rest) >= 0.2 * count else None
    return Split(take(rows, within[:count]), take(rows, within[count:]), fresh)


def split_in_half(rows: pd.DataFrame) -> Split:
    """Cut the distinct rows into two halves, seed 0: other systems have published samples of such a split."""
    distinct = rows.drop_duplicates(ignore_index=True)
    order = np.random.default_rng(0).permutation(len(distinct))
    middle = len(order) // 2
    return Split(take(distinct, order[:middle]), take(distinct, order[middle:]), None)


def take(rows: pd.DataFrame, places: np.ndarray) -> pd.DataFrame:
    """Rows at the places, in the order of the source."""
    return rows.iloc[np.sort(places)].reset_index(drop=True)


def halves(holdout: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cut held-out rows in two: given out as fresh rows, and what those are judged against."""
    order = np.random.default_rng(seed).permutation(len(holdout))
    middle = len(order) // 2
    return take(holdout, order[:middle]), take(holdout, order[middle:])
