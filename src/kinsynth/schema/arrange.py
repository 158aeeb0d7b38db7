"""The order in which the model sees rows: children beside each other, in the order of their sequence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.schema.database import Database
from kinsynth.schema.graph import Structure
from kinsynth.schema.keys import row_numbers
from kinsynth.schema.table import Relation

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Arrangement:
    """The rows of one table as the model sees them.

    Attributes:
        row_R: Row of the table that stands at each place, shape (R,).
        parent_R: Place of each row's parent among the arranged rows of the parent table, never
            decreasing, shape (R,); None for a root table. Rows without owner stand last, each under a place
            of its own behind those of the parent table.
        root_R: Place of each row's root among the rows of its root table, shape (R,); behind them for a row
            without owner and for all under it, which nobody else shares.
        alone: Number of rows without owner.
    """

    row_R: Rows
    parent_R: Rows | None
    root_R: Rows
    alone: int = 0

    @property
    def owned(self) -> int:
        """Number of rows that have an owner: the first ones."""
        return len(self.row_R) - self.alone

    @property
    def owner_rows(self) -> Rows:
        """Place of each row's owner, -1 for none, shape (R,); for a table with a parent."""
        if self.parent_R is None:
            raise ValueError("a root table has no owners")
        if not self.alone:
            return self.parent_R
        return np.append(self.parent_R[: self.owned], np.full(self.alone, -1, dtype=np.int64))

    def take(self, table: pa.Table) -> pa.Table:
        """Give the rows of the table in this order; a root table is the table itself."""
        if self.parent_R is None:
            return table
        return table.take(pa.array(self.row_R))


def arrange(database: Database, structure: Structure) -> dict[str, Arrangement]:
    """Arrange every synthesised table, parents before children.

    Returns:
        One arrangement for each synthesised table, in the order of generation. Root rows keep their
        order; child rows follow their parents, then ``order_by``, then their own order. Rows without owner
        keep their order behind all others.
    """
    arranged: dict[str, Arrangement] = {}
    used = {name: database.tables[name].num_rows for name in structure.roots}
    for name in structure.order:
        relation, table = structure.parent_relation[name], database.tables[name]
        if relation is None:
            everything = np.arange(table.num_rows, dtype=np.int64)
            arranged[name] = Arrangement(everything, None, everything)
            continue
        parent = arranged[relation.references_table]
        place = np.empty(len(parent.row_R), dtype=np.int64)
        place[parent.row_R] = np.arange(len(parent.row_R))
        number = row_numbers(table, relation, database.tables[relation.references_table])
        without = np.flatnonzero(number < 0)
        if len(without) and not database.schema.may_be_missing(relation):
            raise ValueError(f"{relation}: {len(without)} rows have no parent")
        parent_R = np.append(place, -1)[number]
        parent_R[without] = len(place) + np.arange(len(without))
        row_R = _ordered(parent_R, table, database.schema.tables[name].order_by)
        owned, root = len(row_R) - len(without), structure.root_of(name)
        root_R = parent.root_R[parent_R[row_R[:owned]]]
        beyond = used[root] + np.arange(len(without), dtype=np.int64)
        used[root] += len(without)
        arranged[name] = Arrangement(row_R, parent_R[row_R], np.append(root_R, beyond), len(without))
    return arranged


def _ordered(parent_R: Rows, table: pa.Table, order_by: str | None) -> Rows:
    frame = pl.DataFrame({"parent": parent_R})
    if order_by is not None:
        frame = frame.with_columns(pl.Series("order", pl.from_arrow(table[order_by])))
    row_R = frame.select(pl.arg_sort_by(frame.columns, nulls_last=False, maintain_order=True)).to_series()
    return row_R.to_numpy().astype(np.int64)


def pointed_rows(database: Database, arranged: Mapping[str, Arrangement], relation: Relation) -> Rows:
    """Give the place of the referenced row for each arranged row, -1 where there is none, shape (R,)."""
    here, there = arranged[relation.table], arranged[relation.references_table]
    place = np.empty(len(there.row_R), dtype=np.int64)
    place[there.row_R] = np.arange(len(there.row_R))
    number_R = row_numbers(
        database.tables[relation.table], relation, database.tables[relation.references_table]
    )[here.row_R]
    return np.where(number_R < 0, -1, place[number_R]) if len(place) else np.full(len(number_R), -1)
