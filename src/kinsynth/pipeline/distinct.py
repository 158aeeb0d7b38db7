"""Rows that repeat a key, or lack a part of one, are to be left out, with what must point at them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.columns.identifier import IdentifierCodec
from kinsynth.columns.storage import as_array
from kinsynth.pipeline.anchors import Anchor, Beside, Reach
from kinsynth.pipeline.codecs import DatabaseCodec, TableCodec
from kinsynth.rules.base import Rule
from kinsynth.schema.database import Database
from kinsynth.schema.keys import key_frame, missing_keys, orphans, row_numbers
from kinsynth.schema.levels import find_levels
from kinsynth.schema.table import Relation, Schema

Flags = NDArray[np.bool_]
Keys = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class _Led:
    """A rule that reads a cell of another row, to which a key leads that may repeat.

    Attributes:
        rule: The rule.
        anchors: The cells of other rows that it reads.
        passed: The tables whose keys may repeat on the way.
    """

    rule: Rule
    anchors: tuple[Anchor, ...]
    passed: frozenset[str]

    @property
    def own(self) -> tuple[str, ...]:
        """Name the columns of the table itself that are read."""
        known = {anchor.name for anchor in self.anchors}
        return tuple(name for name in self.rule.columns if name not in known)


def find_repeated(
    database: Database, codec: DatabaseCodec, rules: Mapping[str, Sequence[Rule]] = {}
) -> dict[str, Flags]:
    """Find the later rows of each key that repeats, rows that lack a part, and rows that name one that goes.

    Keys are primary, unique or referenced. Rows that named a row that goes name the one that stays, for both
    have the same key; where that lets their own key repeat, only the first of them stays, and where it closes
    a circle that the source does not have, one row of it goes. Where a rule holds between a row and the one
    that it named, and not with the one that stays, it goes as well.

    Args:
        database: The drawn rows.
        codec: How its tables were encoded.
        rules: What every row of a table keeps.

    Returns:
        Of each table that loses rows which rows stay, shape (R,).
    """
    schema, wanted = database.schema, repeatable_keys(database.schema, codec)
    if not wanted:
        return {}
    led = {
        name: [*_find_led(schema, codec.tables[name], rules.get(name, ()), wanted)] for name in codec.tables
    }
    tables = {name: table.select(_read_columns(schema, name, led)) for name, table in database.tables.items()}
    kept = {name: np.ones(table.num_rows, dtype=np.bool_) for name, table in tables.items()}

    def leave_out(name: str, kept_R: Flags) -> bool:
        if kept_R.all():
            return False
        kept[name][kept[name]] = kept_R
        tables[name] = tables[name].filter(pa.array(kept_R))
        return True

    while True:
        gone = [leave_out(name, _kept(name, tables, schema, wanted.get(name, ()))) for name in codec.tables]
        losing = {name: kept_R for name, kept_R in kept.items() if not kept_R.all()}
        if losing and not any(gone):  # without a loss every rule holds still
            reach = Reach.of(schema, tables)
            broken = {name: _broken(tables[name], several, losing, reach) for name, several in led.items()}
            gone = [leave_out(name, ~broken_R) for name, broken_R in broken.items()]
        if not any(gone):
            return losing


def _find_led(
    schema: Schema, codec: TableCodec, rules: Sequence[Rule], wanted: Mapping[str, Keys]
) -> Iterator[_Led]:
    """Give the rules of a table that read a cell to which a key leads that may repeat."""
    named = {str(relation): relation for relation in schema.relations}
    for rule in rules:
        anchors = tuple(anchor for anchor in codec.read_by_rules if anchor.name in rule.columns)
        steps = (named[key] for anchor in anchors for key in anchor.path)
        passed = frozenset(
            one.references_table
            for one in steps
            if one.references_columns in wanted.get(one.references_table, ())
        )
        if passed:
            yield _Led(rule, anchors, passed)


def _broken(table: pa.Table, led: Sequence[_Led], lost: Collection[str], reach: Reach) -> Flags:
    """Mark the rows that break a rule since rows on the way are left out."""
    broken_R = np.zeros(table.num_rows, dtype=np.bool_)
    for one in led:
        if one.passed & {*lost}:
            cells = {column: as_array(table[column]) for column in one.own}
            broken_R |= one.rule.broken(Beside(cells, one.anchors, reach, np.arange(table.num_rows)))
    return broken_R


def _read_columns(schema: Schema, name: str, led: Mapping[str, Sequence[_Led]]) -> list[str]:
    """Name the columns of a table that keys are made of, and that rules read; one at least, to have rows."""
    columns = {column for key in _keys(schema, name) for column in key}
    columns |= schema.foreign_columns(name)
    columns |= {column for one in led.get(name, ()) for column in one.own}
    every = (anchor for several in led.values() for one in several for anchor in one.anchors)
    columns |= {anchor.column for anchor in every if anchor.table == name}
    return [one for one in schema.tables[name].column_names if one in columns] or list(
        schema.tables[name].column_names[:1]
    )


def _keys(schema: Schema, name: str) -> Keys:
    """Give the groups of columns in which no two rows of a table are equal."""
    table = schema.tables[name]
    referenced = (relation.references_columns for relation in schema.incoming(name))
    return tuple(key for key in dict.fromkeys((table.primary_key, *table.unique_keys, *referenced)) if key)


def repeatable_keys(schema: Schema, codec: DatabaseCodec) -> dict[str, Keys]:
    """Give for each table the keys that may repeat.

    They hold a drawn value, such as a year that tells the rows of one owner apart, or a part of a foreign
    key that leads to such a key; and no new identifier, which is a row's own.
    """
    found: dict[str, Keys] = {}
    growing = True
    while growing:
        before, growing = dict(found), False
        for name, table_codec in codec.tables.items():
            loose = _drawn_columns(table_codec) | _inherited_columns(schema, name, found)
            own = _own_columns(table_codec)
            keys = tuple(key for key in _keys(schema, name) if loose & {*key} and not own & {*key})
            found |= {name: keys} if keys else {}
        growing = found != before
    return found


def _drawn_columns(codec: TableCodec) -> set[str]:
    return {column for factor in codec.factors for column in factor.columns}


def _own_columns(codec: TableCodec) -> set[str]:
    """Name the columns of new identifiers."""
    made = {column for column, key in codec.keys.items() if isinstance(key, IdentifierCodec)}
    drawn = (factor for factor in codec.factors if isinstance(factor.codec, IdentifierCodec))
    return made | {column for factor in drawn for column in factor.columns}


def _inherited_columns(schema: Schema, name: str, found: Mapping[str, Keys]) -> set[str]:
    """Name the columns of foreign keys that lead to keys that may repeat."""
    leading = (
        one for one in schema.outgoing(name) if one.references_columns in found.get(one.references_table, ())
    )
    return {column for relation in leading for column in relation.columns}


def _kept(name: str, tables: Mapping[str, pa.Table], schema: Schema, keys: Keys) -> Flags:
    """Mark the rows of a table that stay."""
    table, shape = tables[name], schema.tables[name]
    whole = [one for one in table.column_names if one in shape.primary_key or not shape.column(one).nullable]
    kept_R = ~missing_keys(table, whole)
    for relation in schema.outgoing(name):
        kept_R &= ~orphans(table, relation, tables[relation.references_table])
    for key in keys:
        rows = table.filter(pa.array(kept_R))
        first = key_frame(rows, key).select(pl.struct(pl.all()).is_first_distinct().alias("first"))["first"]
        kept_R[kept_R] = first.to_numpy() | missing_keys(rows, key)
    for relation in schema.outgoing(name):
        if relation.acyclic and relation.references_columns in keys:
            kept_R[kept_R] = ~_closes_circle(table.filter(pa.array(kept_R)), relation)
    return kept_R


def _closes_circle(table: pa.Table, relation: Relation) -> Flags:
    """Mark one row of each circle: rows that named a row that went may name one below them."""
    row_R = row_numbers(table, relation, table)
    closes_R: Flags = find_levels(row_R).cut_R | (row_R == np.arange(len(row_R)))
    return closes_R
