"""Estimate the shapes of tables as the model will see them, from typed tables, without fitting a codec."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from kinsynth.encoded import (
    FIRST_GROUP,
    ChildCount,
    Encoded,
    EncodedTable,
    Grouping,
    Link,
    Pointer,
    SubColumn,
)
from kinsynth.engine.sizing import TableShape, measure_table
from kinsynth.pipeline.further_keys import MOST_GROUPS, keys_name
from kinsynth.pipeline.roles import find_roles
from kinsynth.pipeline.sketches import CELLS, MOST_SKETCHES, fewest_parents
from kinsynth.pipeline.stays import ANSWERS, SEVERAL, most_stays
from kinsynth.schema.graph import Structure
from kinsynth.schema.keys import key_frame
from kinsynth.schema.table import Column, Relation, Schema
from kinsynth.settings.synthesis import Synthesis

ONE_TOKEN = 1_000
LISTED_VALUES = 256
LISTED_SHARE = 0.6
SPIKES = 16
FEWEST_BINS, MOST_BINS = 16, 128
ROWS_OF_BIN = 200
ROWS_OF_PLACE = 400
MOST_PLACES = 16
COORDINATES = (17, 17, 17, 17)
MOST_COUNT_CODES = 64


def estimate_shapes(
    schema: Schema, structure: Structure, tables: Mapping[str, pa.Table], synthesis: Synthesis
) -> tuple[dict[str, TableShape], dict[str, str]]:
    """Estimate the shapes of training rows, of tables and of their tables of keys, in the order of drawing.

    Returns:
        The shapes by name, tables of keys by the names that the model gives them; and for each name whose
        rows, or rows' keys, they are.
    """
    kept = 1 - synthesis.evaluation.holdout_share
    codes = {
        name: estimate_cardinalities(schema, structure, name, tables, synthesis) for name in structure.order
    }
    skeleton, of = _skeleton(structure, codes)
    shapes = {}
    for name in skeleton.tables:
        owner = structure.parent_relation[of[name]]
        counts = _count_children(tables[of[name]], owner) if owner else np.ones(1)
        shapes[name] = replace(
            measure_table(skeleton, name),
            rows=max(1, round(tables[of[name]].num_rows * kept)),
            roots=max(1, round(tables[structure.root_of(of[name])].num_rows * kept)),
            mean_sequence=float(counts.mean()),
            longest_sequence=int(counts.max()),
        )
    return shapes, of


def _skeleton(structure: Structure, codes: Mapping[str, tuple[int, ...]]) -> tuple[Encoded, dict[str, str]]:
    """Make the encoded database without a row, tables of keys in it, and tell whose keys those are."""
    found: dict[str, EncodedTable] = {}
    for table in structure.order:
        _add_keys(found, structure, table, late=False)
        subs = tuple(SubColumn(number, size) for number, size in enumerate(codes[table] or (1,)))
        links = tuple(one.references_table for one in structure.keys[table])
        found[table] = _without_rows(structure, table, subs, links, counts=_counts(structure, table, subs[0]))
    for table in structure.order:
        _add_keys(found, structure, table, late=True)
    return Encoded(found), {name: table.keys_of or name for name, table in found.items()}


def _add_keys(found: dict[str, EncodedTable], structure: Structure, table: str, *, late: bool) -> None:
    relations = (structure.late if late else structure.keys)[table]
    if not relations:
        return
    pointers = tuple(
        Pointer(str(one), one.references_table, Grouping.whole(), nullable=True) for one in relations
    )
    subs = tuple(SubColumn(number, FIRST_GROUP + MOST_GROUPS) for number in range(len(relations)))
    name, links = keys_name(structure.order, table, late=late), (table,) if late else ()
    found[name] = _without_rows(structure, table, subs, links, keys_of=table, pointers=pointers)


def _without_rows(
    structure: Structure, table: str, subs: tuple[SubColumn, ...], links: tuple[str, ...], **more: Any
) -> EncodedTable:
    owner, none = structure.parent_relation[table], np.zeros(0, np.int64)
    return EncodedTable(
        np.zeros((0, len(subs)), np.int32),
        subs,
        None if owner is None else owner.references_table,
        None if owner is None else none,
        links=tuple(Link(target, none) for target in links),
        **more,
    )


def _counts(structure: Structure, table: str, sub: SubColumn) -> tuple[ChildCount, ...]:
    """Say that a table counts what it must; which sub-column does so changes no shape."""
    some = np.zeros(sub.cardinality, np.int64)
    counted = (*structure.children(table), *map(str, structure.pointing(table)))
    return tuple(ChildCount(name, sub.column, some, some) for name in counted)


def _count_children(table: pa.Table, relation: Relation) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Count the rows of each parent that has any."""
    keys = key_frame(table, relation.columns).drop_nulls()
    lengths = keys.group_by(keys.columns).len()["len"].to_numpy().astype(np.int64)
    return lengths if len(lengths) else np.ones(1, dtype=np.int64)


def estimate_cardinalities(
    schema: Schema,
    structure: Structure,
    name: str,
    tables: Mapping[str, pa.Table],
    synthesis: Synthesis,
) -> tuple[int, ...]:
    """Estimate the codes of each sub-column of a table."""
    roles, table = find_roles(schema, structure, name), tables[name]
    minimum = synthesis.protection.rare_minimum
    found: list[int] = []
    for group in roles.modelled:
        column = schema.tables[name].column(group[0])
        found += _estimate_column(column, table.column(group[0]), minimum)
    for relation in roles.references:
        found += two_level(tables[relation.references_table].num_rows + 1)
    if roles.sequence is not None:
        column = schema.tables[name].column(roles.sequence)
        found += 2 * _estimate_column(column, table.column(roles.sequence), minimum)
    for child in structure.children(name):
        owner = structure.parent_relation[child]
        assert owner is not None
        counts = _count_children(tables[child], owner)
        found.append(int(min(counts.max() + 1, MOST_COUNT_CODES)))
        columns = len(find_roles(schema, structure, child).modelled)
        if len(counts) >= fewest_parents(counts) and counts.max() > 1:
            found += min(MOST_SKETCHES, columns) * [CELLS]
        found += min(most_stays(int((counts >= SEVERAL).sum())), columns // 2) * [ANSWERS]
    for relation in structure.pointing(name):
        most = int(_count_children(tables[relation.table], relation).max())
        levels = [MOST_COUNT_CODES] if relation.table == name else []
        found += [min(most + 1, MOST_COUNT_CODES), *levels]
    return tuple(found)


def _estimate_column(column: Column, values: pa.ChunkedArray, minimum: int) -> list[int]:
    fixed = {
        "text": [],
        "identifier": [2] if values.null_count else [],
        "boolean": [3],
        "coordinates": list(COORDINATES),
    }
    if column.type in fixed:
        return fixed[column.type]
    if column.type == "categorical":
        return two_level(count_frequent(values, minimum) + 2)
    series = pl.Series(values).drop_nulls()
    if column.type == "datetime":
        return [*_estimate_line(series.dt.date(), minimum), *_estimate_line(series.dt.time(), minimum)]
    return _estimate_line(series, minimum)


def _estimate_line(values: pl.Series, minimum: int) -> list[int]:
    """Estimate the codes of an ordered column: frequent values, bins of the rest, places in large bins."""
    counts = values.value_counts()["count"]
    frequent = counts.filter(counts >= minimum)
    covered = int(frequent.sum())
    if len(frequent) <= LISTED_VALUES and covered >= LISTED_SHARE * len(values):
        rest, states = len(values) - covered, len(frequent) + 1
    else:
        rest, states = len(values), SPIKES + 1
    bins = min(MOST_BINS, max(FEWEST_BINS, rest // ROWS_OF_BIN)) if rest >= minimum else 0
    places = min(MOST_PLACES, rest // max(1, bins) // ROWS_OF_PLACE)
    return [states + bins, *([places] if places > 1 else [])]


def two_level(codes: int) -> list[int]:
    """Give one token for few codes, group and member for many.

    >>> two_level(10), two_level(10_000)
    ([10], [100, 100])
    """
    if codes <= ONE_TOKEN:
        return [codes]
    group = math.isqrt(codes - 1) + 1
    return [-(-codes // group), group]


def count_frequent(values: pa.ChunkedArray, minimum: int) -> int:
    """Count the distinct values that at least so many rows hold."""
    counts = pl.Series(values).drop_nulls().value_counts()["count"]
    return int((counts >= minimum).sum())
