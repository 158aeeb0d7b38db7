"""Columns as inputs of a classifier, and as codes of cells that are counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from comparison.dataset import MOMENTS, NUMBERS, Dataset

LEVELS = 200
BINS = 10
MISSING = "<missing>"
OTHER = "<other>"


def as_numbers(column: pd.Series[Any]) -> np.ndarray:
    """Numbers as they are, moments as days since 1970; NaN where missing."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return ((column - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)).to_numpy(dtype=float)
    return column.to_numpy(dtype=float)


def present(column: pd.Series[Any]) -> np.ndarray:
    """Numbers that are there."""
    numbers = as_numbers(column)
    return numbers[~np.isnan(numbers)]


def as_texts(column: pd.Series[Any]) -> np.ndarray:
    """Values by name, with missing as a value of its own."""
    values = column.astype(object)
    return values.where(values.notna(), MISSING).astype(str).to_numpy(dtype=object)


def featurize(frames: list[pd.DataFrame], dataset: Dataset, columns: list[str]) -> list[pd.DataFrame]:
    """Give tables as inputs of boosted trees, with the same columns and levels in each.

    Numbers stay; moments give days, weekday and hour; texts give counts of characters; all else becomes a
    category of at most 200 levels. Trees split on missing cells by themselves.
    """
    together = pd.concat([frame[columns] for frame in frames], ignore_index=True)
    made: dict[str, Any] = {}
    for column in columns:
        made.update(featurize_column(column, together[column], dataset.kinds[column]))
    table = pd.DataFrame(made)
    ends = np.cumsum([len(frame) for frame in frames])
    return [
        table.iloc[end - len(frame) : end].reset_index(drop=True)
        for frame, end in zip(frames, ends, strict=True)
    ]


def featurize_column(name: str, values: pd.Series[Any], kind: str) -> dict[str, Any]:
    """Give the inputs that one column makes."""
    if kind in NUMBERS:
        return {name: as_numbers(values)}
    if kind in MOMENTS:
        made = {name: as_numbers(values), f"{name} weekday": values.dt.day_of_week.astype(float)}
        return made if kind == "date" else {**made, f"{name} hour": values.dt.hour.astype(float)}
    if kind == "text":
        texts = values.fillna("").astype(str).str
        counts = {"length": texts.len(), "words": texts.count(r"\S+"), "digits": texts.count(r"\d")}
        counts |= {"capitals": texts.count(r"[A-Z]"), "signs": texts.count(r"[^\w\s]")}
        made = {f"{name} {what}": count.astype(float) for what, count in counts.items()}
        return {**made, f"{name} missing": values.isna().astype(float)}
    texts = pd.Series(as_texts(values))
    levels = texts.value_counts().index[:LEVELS]
    kept = texts.where(texts.isin(levels), OTHER)
    return {name: pd.Categorical(kept, categories=[*levels, OTHER])}


def edges(values: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Inner edges of bins that hold equal shares of the values; equal edges are one."""
    present = values[~np.isnan(values)]
    if not len(present):
        return np.empty(0)
    return np.unique(np.quantile(present, np.arange(1, bins) / bins))


def code(frames: list[pd.DataFrame], dataset: Dataset, reference: pd.DataFrame) -> list[np.ndarray]:
    """Give each table as whole numbers RC: the bin of a number or the place of a category.

    Tenths of the reference rows are the bins, its ten most frequent values the categories; all other values
    share a code, and so do missing cells. Codes run from 0 to 11.
    """
    codes = [np.empty((len(frame), len(dataset.judged)), dtype=np.int64) for frame in frames]
    for place, column in enumerate(dataset.judged):
        if column in dataset.ordered:
            inner = edges(as_numbers(reference[column]))
            for frame, target in zip(frames, codes, strict=True):
                numbers = as_numbers(frame[column])
                target[:, place] = np.where(
                    np.isnan(numbers), BINS + 1, np.searchsorted(inner, numbers, side="left")
                )
        else:
            known = pd.Series(as_texts(reference[column])).value_counts()
            top = {
                value: rank for rank, value in enumerate(known.drop(MISSING, errors="ignore").index[:BINS])
            }
            for frame, target in zip(frames, codes, strict=True):
                texts = as_texts(frame[column])
                target[:, place] = [BINS + 1 if t == MISSING else top.get(t, BINS) for t in texts]
    return codes
