"""Find the columns that number the rows of one owner: 1, 2, 3, ... in each order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.schema.database import Database
from kinsynth.schema.graph import find_structure
from kinsynth.schema.keys import row_numbers
from kinsynth.schema.storage import storage_type
from kinsynth.schema.table import Schema, Table


def mark_numbered(database: Database) -> Schema:
    """Mark parts of primary keys that number the rows of one owner without a gap."""
    schema, structure = database.schema, find_structure(database.schema)
    tables = dict(schema.tables)
    for name in structure.order:
        owner, table = structure.parent_relation[name], schema.tables[name]
        if owner is None or schema.may_be_missing(owner) or not set(owner.columns) & set(table.primary_key):
            continue
        linked = schema.foreign_columns(name)
        rows, parents = database.tables[name], database.tables[owner.references_table]
        parent_R = row_numbers(rows, owner, parents)
        tables[name] = _marked(table, {one for one in table.primary_key if one not in linked}, rows, parent_R)
    return replace(schema, tables=tables)


def _marked(table: Table, wanted: set[str], rows: pa.Table, parent_R: NDArray[np.int64]) -> Table:
    columns = tuple(
        replace(column, numbered=column.name in wanted and numbers_rows(rows[column.name], parent_R))
        for column in table.columns
    )
    return replace(table, columns=columns)


def numbers_rows(values: pa.ChunkedArray, parent_R: NDArray[np.int64]) -> bool:
    """Tell whether the values under each parent are s, s + 1, s + 2, ..., and some parent has two rows.

    Args:
        values: A column.
        parent_R: Number of each row's parent, shape (R,).
    """
    if not pa.types.is_integer(storage_type(str(values.type))) or values.null_count or not len(values):
        return False
    frame = pl.DataFrame({"parent": parent_R, "value": pl.from_arrow(values).cast(pl.Int64, strict=False)})
    groups = frame.group_by("parent").agg(
        first=pl.col("value").min(),
        last=pl.col("value").max(),
        rows=pl.len(),
        kinds=pl.col("value").n_unique(),
    )
    gapless = (groups["kinds"] == groups["rows"]) & (groups["last"] - groups["first"] + 1 == groups["rows"])
    return bool(gapless.all()) and groups["first"].n_unique() == 1 and bool((groups["rows"] > 1).any())
