"""Assembly: drawn values, batch by batch, become a synthetic database with keys.

With a folder, no table is in memory as a whole: batches are written as they come, and tables get their keys
some rows at a time, from one file into another.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from kinsynth.columns.counter import CounterCodec
from kinsynth.columns.storage import as_array
from kinsynth.pipeline.artefacts import load_table, save_parts, save_table, table_path
from kinsynth.pipeline.codecs import DatabaseCodec, KeyCodec, Rows
from kinsynth.pipeline.decoding import Decoded
from kinsynth.pipeline.distinct import find_repeated
from kinsynth.pipeline.known import NOTHING_KNOWN, Known
from kinsynth.pipeline.pieces import Pieces
from kinsynth.pipeline.successions import Succession
from kinsynth.rules.base import Rule
from kinsynth.schema.database import Database
from kinsynth.schema.graph import find_structure
from kinsynth.schema.link import Linking, MakeKeys
from kinsynth.schema.table import Relation, Schema

OnShare = Callable[[float, str], None]
OnEmptied = Callable[[str, str, int], None]


def assemble(
    batches: Iterable[Decoded],
    codec: DatabaseCodec,
    schema: Schema,
    *,
    originals: Mapping[str, pa.Table],
    known: Mapping[str, Known] | None = None,
    seed: int = 0,
    folder: Path | None = None,
    on_share: OnShare = lambda _share, _table: None,
    on_emptied: OnEmptied = lambda _table, _key, _count: None,
) -> Database:
    """Put decoded batches together and give every row its keys.

    Args:
        batches: All batches, in order; each synthesised table is in at least one.
        codec: How the tables were encoded, and how their keys are made.
        schema: Schema of the result.
        originals: Original tables, delivered unchanged.
        known: Given keys come back as they are.
        seed: Source of what is left to chance where rows come after those of their table that they name.
        folder: Where the tables go, as files that ``load_tables`` reads but for the list of names, and are
            mapped; None for memory.
        on_share: Told the share of the rows that have their keys, between 0 and 1, and the table.
        on_emptied: Told in how many rows of a table a key is missing, since no row stands before them.

    Guarantees:
        Batches of any size give the same tables, whether in memory or in files, and in files the same bytes.
    """
    rows: Counter[str] = Counter()
    with Pieces(folder and folder / "pieces") as pieces:
        for batch in batches:
            rows.update(batch.rows)
            for name, table in batch.tables.items():
                pieces.add_table(name, table)
            for relation, row_R in batch.pointed.items():
                pieces.add_numbers(str(relation), row_R)
            for named, kind_R in batch.kinds.items():
                pieces.add_numbers(_kind_by(named), kind_R)
        tables, numbers = pieces.whole()
    pointed = {one: numbers[str(one)] for one in schema.relations if str(one) in numbers}
    drawn = dict(pointed)
    for name, succession in _successions(codec):
        key = succession.relation(pointed)
        cells, kind_R = as_array(tables[name][succession.column]), numbers[_kind_by(succession.key)]
        pointed[key] = succession.settle(cells, pointed, drawn, kind_R, seed=seed)
        on_emptied(name, succession.key, int(((pointed[key] < 0) & (drawn[key] >= 0)).sum()))
    linking = _linking(tables, pointed, rows, codec, schema, originals=originals, known=known or {})
    linked: dict[str, pa.Table] = {}
    for number, name in enumerate(schema.tables):
        linked[name] = _gather(linking, name, folder and table_path(folder, number))
        done = sum(rows[one] for one in linked) / max(1, rows.total())
        on_share(done, name)
    if folder is not None:
        shutil.rmtree(folder / "pieces")
    return Database(schema, linked, "synthetic")


def _successions(codec: DatabaseCodec) -> Iterator[tuple[str, Succession]]:
    for name, table in codec.tables.items():
        yield from ((name, one) for one in table.successions)


def _kind_by(key: str) -> str:
    """Name the numbers that tell what kind of row each is as one that a key leads to."""
    return f"{key}: kind"


def _linking(
    tables: Mapping[str, pa.Table],
    pointed: Mapping[Relation, Rows],
    rows: Mapping[str, int],
    codec: DatabaseCodec,
    schema: Schema,
    *,
    originals: Mapping[str, pa.Table],
    known: Mapping[str, Known],
) -> Linking:
    """Give the tables with what their keys follow from."""
    named = {str(relation): relation for relation in schema.relations}
    owners = find_structure(schema).parent_relation
    new_keys: dict[tuple[str, str], MakeKeys] = {}
    for name, table_codec in codec.tables.items():
        cells, owner = known.get(name, NOTHING_KNOWN).cells, owners[name]
        owner_R = None if owner is None else pointed.get(owner)
        for column, key in table_codec.keys.items():
            given = column in cells
            new_keys[name, column] = (
                partial(_take, cells[column]) if given else partial(_make_keys, key, owner_R)
            )
    return Linking(
        schema,
        tables,
        rows={name: rows[name] for name in codec.tables},
        pointed=pointed,
        implied={named[key]: tuple(named[step] for step in path) for key, path in codec.implied.items()},
        new_keys=new_keys,
        originals=originals,
    )


def _take(cells: pa.Array, row_R: Rows) -> pa.Array:
    return cells.take(pa.array(row_R))


def _make_keys(key: KeyCodec, owner_R: Rows | None, row_R: Rows) -> pa.Array:
    """Make the keys of some rows of their numbers, or of their places under their owners."""
    if not isinstance(key, CounterCodec) or owner_R is None:
        return key.values_at(row_R)
    return key.values_at(row_R - np.searchsorted(owner_R, owner_R[row_R]))


def _gather(linking: Linking, name: str, path: Path | None) -> pa.Table:
    """Put a table together."""
    shape = linking.schema.tables[name]
    if shape.original:
        table = linking.originals[name].select(list(shape.column_names))
        if path is not None:
            save_table(path, table)
        return table
    if path is None:
        return pa.concat_tables(linking.parts(name))
    save_parts(path, linking.parts(name))
    return load_table(path)


def keep_distinct(
    database: Database,
    codec: DatabaseCodec,
    *,
    rules: Mapping[str, Sequence[Rule]] = {},
    folder: Path | None = None,
) -> tuple[Database, Mapping[str, int]]:
    """Leave out rows that repeat a key or lack a part of it, and rows that name one of them.

    Rows that named one that goes name the one of the same key that stays, if they keep their rules.

    Args:
        database: What ``assemble`` gave.
        codec: How its tables were encoded.
        rules: What every row of a table keeps.
        folder: Where ``assemble`` put the tables.

    Returns:
        The database, and how many rows were left out of each table.
    """
    kept, tables = find_repeated(database, codec, rules), dict(database.tables)
    for number, name in enumerate(database.schema.tables):
        if name not in kept:
            continue
        if folder is None:
            tables[name] = tables[name].filter(pa.array(kept[name]))
        else:
            save_table(table_path(folder, number), tables[name], kept[name])
            tables[name] = load_table(table_path(folder, number))
    gone = {name: int((~kept_R).sum()) for name, kept_R in kept.items()}
    return Database(database.schema, tables, database.origin), gone
