"""Rows that repeat a primary key of drawn values are to be left out, with what must point at them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.pipeline.codecs import DatabaseCodec
from kinsynth.schema.database import Database
from kinsynth.schema.keys import key_frame, orphans
from kinsynth.schema.table import Schema

Flags = NDArray[np.bool_]


def find_repeated(database: Database, codec: DatabaseCodec) -> dict[str, Flags]:
    """Find the later rows of each primary key that repeats, and rows that name one that goes.

    Only keys that hold a drawn value can repeat, such as a year that tells the rows of one owner apart. Rows
    that named a row that goes name the one that stays, for both have the same key.

    Returns:
        Of each table that loses rows which rows stay, shape (R,).
    """
    schema, wanted = database.schema, drawn_keys(database.schema, codec)
    if not wanted:
        return {}
    tables = {name: table.select(_key_columns(schema, name)) for name, table in database.tables.items()}
    kept = {name: np.ones(table.num_rows, dtype=np.bool_) for name, table in tables.items()}
    changing = True
    while changing:
        changing = False
        for name in schema.tables:
            kept_R = _kept(name, tables, schema, wanted)
            if not kept_R.all():
                kept[name][kept[name]] = kept_R
                tables[name], changing = tables[name].filter(pa.array(kept_R)), True
    return {name: kept_R for name, kept_R in kept.items() if not kept_R.all()}


def _key_columns(schema: Schema, name: str) -> list[str]:
    """Name the columns of a table that keys are made of; one at least, so that there are rows."""
    columns = {*schema.tables[name].primary_key}
    for relation in schema.relations:
        columns |= {*relation.columns} if relation.table == name else set()
        columns |= {*relation.references_columns} if relation.references_table == name else set()
    return [one for one in schema.tables[name].column_names if one in columns] or list(
        schema.tables[name].column_names[:1]
    )


def drawn_keys(schema: Schema, codec: DatabaseCodec) -> dict[str, tuple[str, ...]]:
    """Name the tables whose primary key holds a drawn value, with the key."""
    found = {}
    for name, table_codec in codec.tables.items():
        drawn = {column for factor in table_codec.factors for column in factor.columns}
        if drawn & {*schema.tables[name].primary_key}:
            found[name] = schema.tables[name].primary_key
    return found


def _kept(
    name: str, tables: Mapping[str, pa.Table], schema: Schema, wanted: Mapping[str, tuple[str, ...]]
) -> Flags:
    kept_R = np.ones(tables[name].num_rows, dtype=np.bool_)
    if schema.tables[name].original:
        return kept_R
    if name in wanted:
        frame = key_frame(tables[name], wanted[name])
        kept_R &= frame.select(pl.struct(pl.all()).is_first_distinct().alias("first"))["first"].to_numpy()
    for relation in schema.outgoing(name):
        kept_R &= ~orphans(tables[name], relation, tables[relation.references_table])
    return kept_R
