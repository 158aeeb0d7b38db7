"""Find the column by which the rows under one parent follow each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.schema.following import follow_each_other
from kinsynth.schema.names import words
from kinsynth.schema.table import Column
from kinsynth.settings.treatment import ORDERED

_FEWEST_ROWS = 20
_FEWEST_SHARE = 0.1
_FEWEST_SEVERAL = 0.3
_SORTED, _FEWEST_SORTED, _FEWEST_UNSORTED = 0.9, 0.3, 0.95
_WIDEST_STEP = 3.0
_MOMENTS = ("date", "datetime")
_LIFE = frozenset(("birth", "born", "death", "dob", "birthday", "birthdate", "deathdate"))


@dataclass(frozen=True)
class OrderProposal:
    """A column by which rows under one parent follow each other.

    Attributes:
        column: Its name.
        sorted_share: Share of neighbouring rows of one parent that stand in this order in the source.
        distinct_share: Share of rows whose value no earlier row of the parent has.
        several_share: Share of the parents with several rows that hold several values.
        step: How far neighbouring values of one parent lie apart, on the mean.
    """

    column: str
    sorted_share: float
    distinct_share: float
    several_share: float
    step: float

    @property
    def reason(self) -> str:
        """The evidence, in words."""
        return (
            f"{self.sorted_share:.0%} of the rows under one parent follow each other in this order, "
            f"{self.distinct_share:.0%} of the values differ"
        )


def propose_order(
    table: pa.Table,
    columns: Sequence[Column],
    *,
    parent_row: NDArray[np.int64],
    telling: str | None = None,
    keys: Sequence[Column] = (),
) -> OrderProposal | None:
    """Propose the order of a table's rows under their parents.

    Args:
        table: A typed table with an owner.
        columns: Columns that may give the order: values, no keys.
        parent_row: Row of the owner for each row; -1 for none.
        telling: The column that tells the rows of one parent apart, as part of the primary key: drawn in its
            order it hardly repeats, so it goes first.
        keys: Columns of other foreign keys: rows may follow each other by what they name.

    Returns:
        The likeliest column: dates and times before numbers, then the order of the source. None when hardly a
        parent has two rows, or no column is complete and differs between them; nor do dates and times order
        rows that do not follow each other.
    """
    rows = np.flatnonzero(parent_row >= 0)
    counts = np.bincount(parent_row[rows]) if len(rows) else np.zeros(1, dtype=np.int64)
    several = rows[counts[parent_row[rows]] > 1] if len(rows) else rows
    if len(several) < max(_FEWEST_ROWS, _FEWEST_SHARE * table.num_rows):
        return None
    for column in columns:
        if column.name == telling and column.type in ORDERED:
            return _measure(table, column, several, parent_row)
    candidates = [column for column in columns if _may_order(table, column)]
    found = [(column, _measure(table, column, several, parent_row)) for column in candidates]
    others = (*columns, *keys)
    fitting = [
        (column, measured)
        for column, measured in found
        if _is_order(column, measured) and _tells(table, column, others, several, parent_row)
    ]
    if not fitting:
        return None
    return max(fitting, key=lambda entry: (entry[0].type in _MOMENTS, entry[1].sorted_share >= 0.9))[1]


def _may_order(table: pa.Table, column: Column) -> bool:
    """Tell whether a column is complete and has the type and name of an order."""
    if table.column(column.name).null_count:
        return False
    parts = words(column.name).parts
    if column.type in _MOMENTS:
        return not _LIFE & set(parts)
    return column.type == "integer" and words(column.name).is_sequence


def _tells(
    table: pa.Table,
    column: Column,
    others: Sequence[Column],
    rows: NDArray[np.int64],
    parent_row: NDArray[np.int64],
) -> bool:
    """Tell whether a column says more by the order of the rows than by itself, as moments may not."""
    if column.type not in _MOMENTS:
        return True
    return follow_each_other(table, column.name, others, parent_R=parent_row, rows=rows)


def _measure(
    table: pa.Table, column: Column, rows: NDArray[np.int64], parent_row: NDArray[np.int64]
) -> OrderProposal:
    """Count how often neighbouring rows of one parent rise and differ."""
    values = pl.Series("value", table.column(column.name)).gather(rows).to_physical()
    frame = pl.DataFrame({"parent": parent_row[rows], "value": values})
    parents = frame.group_by("parent").agg(
        kinds=pl.col("value").n_unique(),
        span=pl.col("value").cast(pl.Float64).max() - pl.col("value").cast(pl.Float64).min(),
    )
    distinct_P = parents["kinds"]
    step = frame.sort("parent", maintain_order=True).select(
        same=pl.col("parent").diff() == 0, rise=pl.col("value") >= pl.col("value").shift(1)
    )
    neighbours = step.filter(pl.col("same"))["rise"].to_numpy()
    return OrderProposal(
        column.name,
        sorted_share=float(neighbours.mean()),
        distinct_share=int(distinct_P.sum()) / len(frame),
        several_share=float((distinct_P > 1).to_numpy().mean()),
        step=float(parents["span"].sum()) / max(1, len(frame) - len(parents)),
    )


def _is_order(column: Column, found: OrderProposal) -> bool:
    """Tell whether the evidence is enough.

    Moments order rows even where many rows share one (purchases of one day, forms sent together), unless
    most parents hold a single one: when rows were last changed. A number in whose order the rows do not stand
    must count them: hours and minutes of many days written as one number (1805) do not.
    """
    if column.type in _MOMENTS:
        return found.several_share >= _FEWEST_SEVERAL
    if found.sorted_share >= _SORTED:
        return found.distinct_share >= _FEWEST_SORTED
    return found.distinct_share >= _FEWEST_UNSORTED and found.step <= _WIDEST_STEP
