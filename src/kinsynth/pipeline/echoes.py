"""Echoes: columns that mostly repeat a cell of a row that is hung under or pointed to.

Copies of an owner's columns, common in real databases, are found by code length: to say that a row repeats
the cell must take far fewer bits, on roots that were not counted, than to say the value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from kinsynth.columns.base import Rows
from kinsynth.columns.calendar import code_lengths, counted_rows
from kinsynth.columns.echo import are_equal, can_echo, number_equals
from kinsynth.columns.storage import as_array
from kinsynth.pipeline.across import stay_inside
from kinsynth.pipeline.anchors import Anchor, Keys, Reach, find_ways, reference_ways
from kinsynth.pipeline.codecs import DatabaseCodec
from kinsynth.pipeline.roles import find_roles
from kinsynth.pipeline.rules import row_holders, ruled_columns
from kinsynth.privacy.protection import Numbered, all_units
from kinsynth.rules.base import Rule
from kinsynth.rules.view import MOST_SEARCHED
from kinsynth.schema.chance import nats
from kinsynth.schema.database import Database
from kinsynth.schema.facts import KeyFacts
from kinsynth.schema.graph import Structure, find_structure
from kinsynth.schema.table import Relation, Schema
from kinsynth.settings.synthesis import Synthesis
from kinsynth.system.mapping import let_go

LEAST_SHARE = 0.5  # of the rows, and of the rows of each root on the mean
GLANCE, LEAST_GLANCED = 1_000, 0.4  # so many rows tell already that a cell is seldom repeated
LEAST_SAVED = 0.25  # of the bits of the values: less is a likeness rather than a copy


@dataclass(frozen=True)
class Echo:
    """A column that mostly repeats a cell of another row.

    Attributes:
        column: Name of the column.
        anchor: The cell.
    """

    column: str
    anchor: Anchor


def find_echoes(
    train: Database,
    synthesis: Synthesis,
    facts: Mapping[Relation, KeyFacts],
    rules: Mapping[str, tuple[Rule, ...]] = {},
) -> dict[str, tuple[Echo, ...]]:
    """Find the columns of every synthesised table that mostly repeat cells of other rows.

    Args:
        train: The rows the model may see.
        synthesis: Treatments: a column whose values they change repeats nothing.
        facts: What always holds of each further key.
        rules: What every row of a table keeps: what is computed repeats nothing.
    """
    structure = find_structure(train.schema)
    inside, holders = stay_inside(structure, facts), row_holders(train, structure)
    reach, found = Reach.of(train.schema, train.tables), dict[str, tuple[Echo, ...]]()
    for name in structure.order:
        computed = {rule.derives for rule in rules.get(name, ())}
        ways = tuple(find_ways(structure, name, inside))
        if structure.parent_relation[name] is not None:
            # Cells of root rows may be given, and shall tell which lookup row goes with them.
            ways = (*ways, *reference_ways(structure, name, ways))
        row_R = _some_rows(train.tables[name].num_rows)
        ends = {way: reach.rows(map(str, way), row_R) for way in ways}
        search = _Search(train, structure, name, row_R, holders[name][row_R], ends)
        free = _free_columns(train.schema, structure, name, synthesis)
        echoes = (search.best(one) for one in free if one not in computed)
        found[name] = tuple(one for one in echoes if one is not None)
        let_go()
    return found


def describe_echoes(codec: DatabaseCodec) -> Iterator[str]:
    """Say which columns repeat cells of other rows."""
    for name, table in codec.tables.items():
        for factor in table.factors:
            if factor.kind == "echo":
                yield f"{name}: {factor.anchor}, or a value of its own"


def _free_columns(schema: Schema, structure: Structure, table: str, synthesis: Synthesis) -> Iterator[str]:
    """Name the columns that may repeat cells: drawn as they are, one by one, and no part of a key."""
    shape = schema.tables[table]
    roles = find_roles(schema, structure, table)
    keys = {column for key in (shape.primary_key, *shape.unique_keys) for column in key}
    for name in ruled_columns(schema, structure, table, synthesis):
        if name != roles.sequence and name not in keys:
            yield name


def told_columns(schema: Schema, structure: Structure, table: str) -> Iterator[str]:
    """Name the columns that hold what is drawn, or copied, but for keys."""
    if schema.tables[table].original:
        yield from (one for one in schema.tables[table].column_names if one not in _keys_of(schema, table))
        return
    roles = find_roles(schema, structure, table)
    drawn = {roles.sequence, *(column for group in roles.modelled for column in group)}
    yield from (one for one in schema.tables[table].column_names if one in drawn)


def _keys_of(schema: Schema, table: str) -> set[str]:
    """Name the columns of the keys of a table, its own and those to other ones."""
    linked = (column for relation in schema.outgoing(table) for column in relation.columns)
    return {*schema.tables[table].primary_key, *linked}


@dataclass(frozen=True)
class _Search:
    """What cells are looked for in: some rows of one table, and the rows at the ends of ways from them."""

    database: Database
    structure: Structure
    table: str
    row_R: Rows
    root_R: Numbered
    ends: Mapping[Keys, Rows]

    def best(self, column: str) -> Echo | None:
        """Find the cell that a column repeats at the least expense, the nearest of those alike."""
        values = _taken(self.database.tables[self.table][column], self.row_R)
        few_R = np.arange(0, len(values), -(-len(values) // GLANCE) or 1)
        few, found = values.take(pa.array(few_R)), dict[Anchor, float]()
        for anchor, end_R in self._anchors(column, values.type):
            cells = self.database.tables[anchor.table][anchor.column]
            seldom = are_equal(few, anchor.read(_taken(cells, end_R[few_R]))).mean() < LEAST_GLANCED
            saved = 0.0 if seldom else bits_saved(values, anchor.read(_taken(cells, end_R)), self.root_R)
            if saved:
                found[anchor] = saved
        return Echo(column, max(found, key=lambda one: found[one])) if found else None

    def _anchors(self, column: str, kind: pa.DataType) -> Iterator[tuple[Anchor, Rows]]:
        """Give the cells that a column may repeat, each with its rows."""
        owners = {*self.structure.parent_relation.values()}
        for way, end_R in self.ends.items():
            target = way[-1].references_table
            steps = " -> ".join(", ".join(one.columns) for one in way)
            for name in told_columns(self.database.schema, self.structure, target):
                if len(end_R) and can_echo(self.database.tables[target].schema.field(name).type, kind):
                    title = f"{column} as {steps} -> {target}.{name}"
                    path, shared = tuple(map(str, way)), {*way} <= owners
                    yield Anchor(title, path, target, name, shared, None, storage=str(kind)), end_R


def _some_rows(rows: int) -> Rows:
    """Give the rows that are searched, evenly spread."""
    return np.arange(0, rows, -(-rows // MOST_SEARCHED) or 1, dtype=np.int64)


def _taken(column: pa.ChunkedArray, row_R: Rows) -> pa.Array:
    """Give some cells of a column, missing where there is no row: the others are not looked at."""
    return as_array(column.take(pa.array(row_R, mask=row_R < 0)))


def bits_saved(values: pa.Array, there: pa.Array, root_R: Numbered) -> float:
    """Give how many bits it saves, over the roots that are measured, to say which values repeat a cell.

    The rows of a root have one voice; of several units of protection that counts by which least is saved.

    Args:
        values: A column, shape (R,).
        there: The cells, in the column's type, shape (R,).
        root_R: The root of each row.

    Returns:
        The bits; 0 where that is less than chance may give, or where too few rows repeat the cell.
    """
    symbol_R, cell_R = number_equals(values, there)
    equal_R, known_R = symbol_R == cell_R, counted_rows(root_R)
    if equal_R.sum() < LEAST_SHARE * len(equal_R) or known_R.all() or not known_R.any():
        return 0.0
    plain_R = code_lengths(symbol_R, np.zeros_like(symbol_R), known_R)
    flag_R = code_lengths(equal_R.astype(np.int64), np.zeros_like(symbol_R), known_R)
    echoed_R = equal_R[~known_R]
    saved = []
    for unit_R in all_units(root_R):
        share, plain, gain = (
            _by_root(each_R, unit_R[~known_R]) for each_R in (echoed_R, plain_R, plain_R * echoed_R - flag_R)
        )
        real = gain.sum() * np.log(2) >= nats() and gain.sum() >= LEAST_SAVED * plain.sum()
        saved.append(float(gain.sum()) if real and share.mean() >= LEAST_SHARE else 0.0)
    return min(saved)


def _by_root(number_R: np.ndarray, root_R: Rows) -> np.ndarray:
    """Give the mean of each root's rows."""
    place_R = np.unique(root_R, return_inverse=True)[1]
    return np.asarray(np.bincount(place_R, number_R) / np.bincount(place_R))
