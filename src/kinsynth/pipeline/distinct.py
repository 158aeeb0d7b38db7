"""Rows that repeat a primary key of drawn values are left out, with what must point at them."""

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


def keep_distinct(database: Database, codec: DatabaseCodec) -> tuple[Database, Mapping[str, int]]:
    """Leave out the later rows of each primary key that repeats, and rows that name one that is gone.

    Only keys that hold a drawn value can repeat, such as a year that tells the rows of one owner apart. Rows
    that named a row that goes name the one that stays, for both have the same key.

    Returns:
        The database, and how many rows were left out of each table.
    """
    tables, gone = dict(database.tables), dict.fromkeys(database.tables, 0)
    wanted = drawn_keys(database.schema, codec)
    changing = bool(wanted)
    while changing:
        changing = False
        for name in database.schema.tables:
            kept_R = _kept(name, tables, database.schema, wanted)
            if not kept_R.all():
                gone[name] += int((~kept_R).sum())
                tables[name], changing = tables[name].filter(pa.array(kept_R)), True
    return Database(database.schema, tables, database.origin), {name: n for name, n in gone.items() if n}


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
