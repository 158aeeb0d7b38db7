"""Scores: from measured levels to the two numbers a user sees. The formulas are published in the docs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

COLUMNS_WEIGHT, PAIRS_WEIGHT, ROWS_WEIGHT = 0.25, 0.35, 0.40
TABLES_WEIGHT = 0.7
_STEEPNESS = 4


def realism(detection: float) -> float:
    """Turn a detection quality (0.5 guessing, 1 certain) into a level: 1 cannot be told apart."""
    return float(np.clip(2 * (1 - detection), 0, 1))


def table_accuracy(columns: float, pairs: float | None, rows: float | None) -> float:
    """Give the accuracy of one table, 0-10: the weighted mean of the levels that could be measured."""
    levels = ((columns, COLUMNS_WEIGHT), (pairs, PAIRS_WEIGHT), (rows, ROWS_WEIGHT))
    known = [(value, weight) for value, weight in levels if value is not None]
    return round(10 * sum(v * w for v, w in known) / sum(w for _, w in known), 2)


def relation_accuracy(levels: Sequence[float | None]) -> float | None:
    """Give the accuracy of one relation, 0-10: the mean of the measured levels; None for none."""
    known = [level for level in levels if level is not None]
    return round(10 * sum(known) / len(known), 2) if known else None


def overall_accuracy(tables: Sequence[tuple[float, int]], relations: Sequence[float]) -> float | None:
    """Give the accuracy of a database.

    Args:
        tables: Accuracy and number of compared columns of each table.
        relations: Accuracy of each relation.

    Returns:
        Seven tenths the tables, weighted by their columns, three tenths the relations; None without either.
    """
    parts = []
    if columns := sum(width for _, width in tables):
        parts.append((sum(value * width for value, width in tables) / columns, TABLES_WEIGHT))
    if relations:
        parts.append((sum(relations) / len(relations), 1 - TABLES_WEIGHT))
    return round(sum(v * w for v, w in parts) / sum(w for _, w in parts), 1) if parts else None


def table_privacy(risk: float) -> float:
    """Give the privacy of one table, 0-10: steep, since a few rows given away are already serious."""
    return round(10 * (1 - risk) ** _STEEPNESS, 2)


def overall_privacy(parts: Sequence[float | None]) -> float | None:
    """Give the privacy of a database: that of its weakest table."""
    known = [part for part in parts if part is not None]
    return round(min(known), 1) if known else None
