"""Fitted codecs of a database: what the model draws for a row, factor by factor.

A ``Factor`` is one thing the model draws: a column (or a pair), the row of a lookup, the place of a row
in a sequence, or the number of child rows. Keys are no factors: they are made anew and ``link`` fills them.
Columns that a rule computes are the last factors: nothing in the row depends on them, and their drawn codes
are not read. They are there so that rows can be drawn given their values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.columns.base import Codec
from kinsynth.columns.count import CountCodec, build_count, build_level
from kinsynth.columns.counter import CounterCodec, build_counter
from kinsynth.columns.fill import Fill, build_fill
from kinsynth.columns.identifier import IdentifierCodec, build_key
from kinsynth.columns.reference import build_reference
from kinsynth.columns.registry import codec_from_json, column_type
from kinsynth.columns.relative import RelativeCodec, build_relative
from kinsynth.columns.sequence import SequenceCodec, build_sequence
from kinsynth.columns.sketch import SketchCodec
from kinsynth.columns.storage import as_array
from kinsynth.encoded import ChildCount, SubColumn
from kinsynth.errors import SettingsError
from kinsynth.pipeline.further_keys import FurtherKeys, KeysCodec, level_name
from kinsynth.pipeline.roles import Roles, find_roles
from kinsynth.pipeline.sketches import FEWEST_PARENTS, FEWEST_TARGETS, Children, choose_sketches
from kinsynth.privacy.protection import OwnRoots, Roots
from kinsynth.rules.base import Rule
from kinsynth.rules.formula import Formula
from kinsynth.rules.missing import Missing
from kinsynth.rules.order import Order
from kinsynth.rules.registry import rule_from_json
from kinsynth.schema.arrange import arrange
from kinsynth.schema.database import Database
from kinsynth.schema.graph import find_structure
from kinsynth.schema.keys import row_numbers
from kinsynth.schema.levels import find_levels
from kinsynth.schema.table import Relation, Schema, Table
from kinsynth.settings.synthesis import Synthesis
from kinsynth.settings.treatment import Column
from kinsynth.system.mapping import let_go

Rows = NDArray[np.int64]
KeyCodec = IdentifierCodec | CounterCodec
FactorKind = Literal["column", "relative", "reference", "sequence", "count", "sketch"]
OnShare = Callable[[float, str], None]


@dataclass(frozen=True)
class Factor:
    """One thing the model draws for a row.

    Attributes:
        kind: What it is.
        columns: Columns of the table it reads and fills; empty for a count or a sketch.
        codec: How it becomes codes.
        child: What a count or a sketch is about: a child table, or a further key that leads to the table;
            empty otherwise.
        anchor: The column that it counts from, of the parent for a sequence, of the same row for a relative
            column; empty for none.
    """

    kind: FactorKind
    columns: tuple[str, ...]
    codec: Codec | SequenceCodec | RelativeCodec
    child: str = ""
    anchor: str = ""


@dataclass(frozen=True)
class TableCodec:
    """How one synthesised table becomes codes.

    Attributes:
        name: Name of the table.
        parent: Name of the parent table, or None for a root table.
        ordered: Whether the order of rows under one parent carries meaning.
        factors: What the model draws, in the order of the encoded columns; computed columns stand last.
        keys: How new values of key columns are made, by column.
        rules: What every row keeps, in the order of application; what they derive is not drawn.
        fills: Codes to fill columns with that a rule says must not be missing.
    """

    name: str
    parent: str | None
    ordered: bool
    factors: tuple[Factor, ...]
    keys: Mapping[str, KeyCodec]
    rules: tuple[Rule, ...] = ()
    fills: Mapping[str, Fill] = field(default_factory=dict)

    @property
    def computed(self) -> frozenset[str]:
        """Columns whose values a rule gives, not the codes drawn for them."""
        return frozenset(rule.derives for rule in self.rules if rule.derives is not None)

    @property
    def read_factors(self) -> tuple[Factor, ...]:
        """The factors whose drawn codes become values: all but the computed columns."""
        return tuple(factor for factor in self.factors if not self.computed & {*factor.columns})

    @property
    def sub_columns(self) -> tuple[SubColumn, ...]:
        """Sub-columns of all factors, numbered by factor; those of computed columns are not shown."""
        return tuple(
            replace(sub, column=number, shown=not self.computed & {*factor.columns})
            for number, factor in enumerate(self.factors)
            for sub in factor.codec.sub_columns
        )

    @property
    def spans(self) -> tuple[slice, ...]:
        """Which encoded columns belong to each factor."""
        widths = [len(factor.codec.sub_columns) for factor in self.factors]
        ends = np.cumsum(widths, dtype=int).tolist()
        return tuple(slice(end - width, end) for width, end in zip(widths, ends, strict=True))

    @property
    def counts(self) -> tuple[ChildCount, ...]:
        """How sub-columns say the numbers of child rows."""
        return tuple(
            ChildCount(factor.child, span.start, factor.codec.low_K, factor.codec.high_K)
            for factor, span in zip(self.factors, self.spans, strict=True)
            if isinstance(factor.codec, CountCodec)
        )

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        factors = [
            {
                "kind": factor.kind,
                "columns": list(factor.columns),
                "child": factor.child,
                "anchor": factor.anchor,
                "codec": factor.codec.to_json(),
            }
            for factor in self.factors
        ]
        return {
            "name": self.name,
            "parent": self.parent,
            "ordered": self.ordered,
            "factors": factors,
            "keys": {column: codec.to_json() for column, codec in self.keys.items()},
            "rules": [rule.to_json() for rule in self.rules],
            "fills": {column: fill.to_json() for column, fill in self.fills.items()},
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> TableCodec:
        """Read what ``to_json`` gave."""
        factors = tuple(
            Factor(f["kind"], tuple(f["columns"]), codec_from_json(f["codec"]), f["child"], f["anchor"])
            for f in document["factors"]
        )
        keys = {column: _read_key(codec) for column, codec in document["keys"].items()}
        rules = tuple(rule_from_json(rule) for rule in document.get("rules", ()))
        fills = {column: Fill.from_json(fill) for column, fill in document.get("fills", {}).items()}
        return TableCodec(
            document["name"], document["parent"], document["ordered"], factors, keys, rules, fills
        )


@dataclass(frozen=True)
class DatabaseCodec:
    """How a database becomes codes.

    Attributes:
        tables: One codec for each synthesised table, in the order of generation.
        keys: One codec for each table of keys.
        implied: For each key that follows from others the keys that lead to the same row, by their names.
    """

    tables: Mapping[str, TableCodec]
    keys: Mapping[str, KeysCodec] = field(default_factory=dict)
    implied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all tables that are learned, in the order they are drawn."""
        early = {codec.table: name for name, codec in self.keys.items() if not codec.late}
        order = [name for table in self.tables for name in (early.get(table), table) if name is not None]
        return (*order, *(name for name, codec in self.keys.items() if codec.late))

    def sub_columns(self, name: str) -> tuple[SubColumn, ...]:
        """Give the sub-columns of a table or a table of keys."""
        return self.tables[name].sub_columns if name in self.tables else self.keys[name].sub_columns

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "tables": [table.to_json() for table in self.tables.values()],
            "keys": [codec.to_json() for codec in self.keys.values()],
            "implied": {key: list(path) for key, path in self.implied.items()},
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> DatabaseCodec:
        """Read what ``to_json`` gave."""
        tables = [TableCodec.from_json(table) for table in document["tables"]]
        keys = [KeysCodec.from_json(codec) for codec in document["keys"]]
        return DatabaseCodec(
            {table.name: table for table in tables},
            {codec.name: codec for codec in keys},
            {key: tuple(path) for key, path in document["implied"].items()},
        )


def fit_codecs(
    database: Database,
    synthesis: Synthesis,
    *,
    rules: Mapping[str, tuple[Rule, ...]] = {},
    on_share: OnShare = lambda _share, _name: None,
) -> DatabaseCodec:
    """Fit the codecs of every synthesised table, all but those of further keys.

    Args:
        database: The rows the model may see.
        synthesis: Treatments of the columns and value protection.
        rules: What every row of a table keeps, in the order of application.
        on_share: Told the share done and the table at work.
    """
    structure = find_structure(database.schema)
    arranged = arrange(database, structure)
    further, tables = FurtherKeys(database, structure, arranged), {}
    for number, name in enumerate(structure.order):
        on_share(number / len(structure.order), name)
        fit = _TableFit(database, synthesis, further, name)
        tables[name] = fit.codec(rules.get(name, ()))
    return DatabaseCodec(_with_sketches(tables, database, synthesis, further))


def _with_sketches(
    tables: Mapping[str, TableCodec], database: Database, synthesis: Synthesis, further: FurtherKeys
) -> dict[str, TableCodec]:
    """Let rows tell summaries of the rows under them and of those that point at them, behind what is read."""
    found: dict[str, list[Factor]] = {name: [] for name in tables}
    for owner, about, children in summed_rows(tables, database, further):
        rows = further.arranged[owner]
        roots = OwnRoots(np.ones_like(rows.row_R)) if rows.parent_R is None else rows.root_R
        count_P = np.bincount(children.parent_R, minlength=children.parents).astype(np.int64)
        fewest = FEWEST_PARENTS if about in tables else FEWEST_TARGETS
        chosen = choose_sketches(children, count_P, roots, synthesis.protection, fewest=fewest)
        found[owner] += [Factor("sketch", (), sketch, about) for sketch in chosen]
    return {name: _behind_read(codec, found[name]) for name, codec in tables.items()}


def _behind_read(codec: TableCodec, sketches: list[Factor]) -> TableCodec:
    read = codec.read_factors
    return replace(codec, factors=(*read, *sketches, *codec.factors[len(read) :]))


def summed_rows(
    tables: Mapping[str, TableCodec], database: Database, further: FurtherKeys
) -> Iterator[tuple[str, str, Children]]:
    """Give what the rows of each table can tell summaries of.

    Yields:
        A table, the name of a table under it or of a further key that leads to it, and the rows in question.
    """
    for name, codec in tables.items():
        table = further.arranged[name].take(database.tables[name])
        parent_R = further.arranged[name].parent_R
        if codec.parent is not None and parent_R is not None:
            yield (
                codec.parent,
                name,
                _children(codec, table, parent_R, further, codec.parent, ordered=codec.ordered),
            )
        for relation in further.of(name, late=False):
            row_R, target = further.rows(relation), relation.references_table
            order = np.argsort(row_R, kind="stable")[int((row_R < 0).sum()) :]
            some = table.take(pa.array(order))
            yield target, str(relation), _children(codec, some, row_R[order], further, target, ordered=False)


def _children(
    codec: TableCodec, table: pa.Table, parent_R: Rows, further: FurtherKeys, parent: str, *, ordered: bool
) -> Children:
    kinds = ("column", "relative", "sequence")
    summed = [one for one in codec.read_factors if one.kind in kinds and len(one.columns) == 1]
    return Children(
        table=table,
        codecs={one.columns[0]: one.codec for one in summed},
        parent_R=parent_R,
        parents=len(further.arranged[parent].row_R),
        ordered=ordered,
    )


class _TableFit:
    """Everything the codecs of one table are fitted from."""

    def __init__(
        self,
        database: Database,
        synthesis: Synthesis,
        further: FurtherKeys,
        name: str,
    ) -> None:
        self.further = further
        self.database, self.synthesis, self.structure = database, synthesis, further.structure
        self.arranged = further.arranged
        self.schema, self.name, self.rows = database.schema, name, further.arranged[name]
        self.table = self.rows.take(database.tables[name])
        self.shape = database.schema.tables[name]
        self.roles: Roles = find_roles(database.schema, self.structure, name)
        declared = synthesis.tables.get(name)
        self.treatments: Mapping[str, Column] = declared.columns if declared else {}

    def codec(self, rules: tuple[Rule, ...]) -> TableCodec:
        derived = {rule.derives for rule in rules}
        columns = self._columns([group for group in self.roles.modelled if group[0] not in derived])
        computed = self._columns([group for group in self.roles.modelled if group[0] in derived])
        sequence = self._sequence()
        columns = self._relative(rules, columns, sequence)
        factors = [*self._counts(), *self._references(), *sequence, *columns]
        fills = self._fills(rules, {factor.columns[0]: factor for factor in columns})
        parent = self.roles.parent
        return TableCodec(
            name=self.name,
            parent=parent.references_table if parent else None,
            ordered=parent is not None and self.shape.order_by is not None,
            factors=(*factors, *computed),
            keys={column: self._key(column) for column in self.roles.keys},
            rules=tuple(_as_far_as_filled(rule, fills) for rule in rules),
            fills={column: fill for column, fill in fills.items() if fill is not None},
        )

    @property
    def _root_numbers(self) -> Rows | None:
        """Number of each row's root; None for a root table, whose rows are their own roots."""
        return None if self.rows.parent_R is None else self.rows.root_R

    def _roots(self) -> Roots:
        numbers = self._root_numbers
        return OwnRoots(np.ones(self.table.num_rows, dtype=np.int64)) if numbers is None else numbers

    def _relative(
        self, rules: tuple[Rule, ...], columns: list[Factor], sequence: list[Factor]
    ) -> list[Factor]:
        """Let columns be drawn as a distance where an order says so.

        Not where the anchor may be missing though it is not in the source: the column would be, too.
        """
        safe = {
            factor.columns[0]
            for factor in (*columns, *sequence)
            if self.shape.column(factor.columns[0]).nullable or not _can_be_missing(factor.codec)
        }
        anchors = {
            rule.columns[1]: rule
            for rule in reversed(rules)
            if isinstance(rule, Order) and rule.relative and rule.columns[0] in safe
        }
        return [
            self._relative_factor(anchors[factor.columns[0]]) if factor.columns[0] in anchors else factor
            for factor in columns
        ]

    def _relative_factor(self, rule: Order) -> Factor:
        anchor, name = rule.columns
        codec = build_relative(
            as_array(self.table[name]),
            as_array(self.table[anchor]),
            self.rows.root_R,
            self.synthesis.protection,
            measure=rule.measure,
            step=rule.step,
            least=rule.least,
            low=rule.bounds[1][0],
            high=rule.bounds[1][1],
        )
        return Factor("relative", (name,), codec, anchor=anchor)

    def _fills(self, rules: tuple[Rule, ...], factors: Mapping[str, Factor]) -> dict[str, Fill | None]:
        """Prepare values for the columns that a rule may have to fill."""
        fills = {}
        for rule in rules:
            if isinstance(rule, Missing) and rule.fills:
                factor = factors[rule.columns[0]]
                values, codec = as_array(self.table[rule.columns[0]]), factor.codec
                if isinstance(codec, RelativeCodec):
                    values = codec.steps(values, as_array(self.table[factor.anchor]))
                    codec = codec.distance
                assert not isinstance(codec, SequenceCodec), "no rule changes the order of rows"
                fills[rule.columns[0]] = build_fill(
                    codec, values, self.rows.root_R, minimum=self.synthesis.protection.rare_minimum
                )
        return fills

    def _key(self, column: str) -> KeyCodec:
        if self.shape.column(column).numbered:
            return build_counter(self.table[column])
        part = column_type("identifier").fit((self.table[column],), self._root_numbers)
        return build_key(part, self.synthesis.protection)

    def _counts(self) -> list[Factor]:
        """Make what the rows say of others: how many hang under them or point at them, and their level."""
        protection, roots = self.synthesis.protection, self._roots()
        level_names = {level_name(one) for one in self.further.late_to_itself(self.name)}
        return [
            Factor(
                "count",
                (),
                (build_level if name in level_names else build_count)(count_R, roots, protection),
                name,
            )
            for name, count_R in row_counts(self.further, self.name).items()
        ]

    def _references(self) -> list[Factor]:
        factors = []
        for relation in self.roles.references:
            values = referenced_rows(self.table, relation, self.database)
            part = column_type("categorical").fit((values,), self._root_numbers)
            factors.append(
                Factor(
                    "reference", relation.columns, build_reference(part, Column(), self.synthesis.protection)
                )
            )
        return factors

    def _sequence(self) -> list[Factor]:
        name = self.roles.sequence
        if name is None:
            return []
        codecs = {anchor: self._sequence_codec(name, anchor) for anchor in ("", *self._anchors(name))}
        anchor = next((anchor for anchor, codec in codecs.items() if codec.relative), "")
        return [Factor("sequence", (name,), codecs[anchor], anchor=anchor)]

    def _sequence_codec(self, name: str, anchor: str) -> SequenceCodec:
        assert self.rows.parent_R is not None, "a sequence has a parent"
        return build_sequence(
            as_array(self.table[name]),
            self.rows.parent_R,
            self.rows.root_R,
            self.treatments.get(name, Column()),
            self.synthesis.protection,
            anchor=self._parent_values(anchor) if anchor else None,
            text=self.shape.column(name).text,
        )

    def _anchors(self, name: str) -> list[str]:
        """Name the parent's modelled moments, when the order is a moment itself."""
        assert self.roles.parent is not None, "a sequence has a parent"
        if self.shape.column(name).type not in ("date", "datetime"):
            return []
        parent = self.roles.parent.references_table
        roles = find_roles(self.schema, self.structure, parent)
        drawn = {roles.sequence, *(column for group in roles.modelled for column in group)}
        return [
            column.name
            for column in self.schema.tables[parent].columns
            if column.type in ("date", "datetime") and column.name in drawn and not column.nullable
        ]

    def _parent_values(self, column: str) -> pa.Array:
        assert self.roles.parent is not None, "an anchor stands in the parent"
        parent = self.roles.parent.references_table
        values = self.arranged[parent].take(self.database.tables[parent])[column]
        return as_array(values).take(pa.array(self.rows.parent_R))

    def _columns(self, groups: list[tuple[str, ...]]) -> list[Factor]:
        factors = []
        for group in groups:
            factors.append(Factor("column", group, self._column_codec(group)))
            let_go()
        return factors

    def _column_codec(self, group: tuple[str, ...]) -> Codec:
        column = self.shape.column(group[0])
        kind = column_type(column.type)
        part = kind.fit(tuple(self.table[name] for name in group), self._root_numbers)
        treatment = self.treatments.get(group[0], Column())
        try:
            return kind.build(part, treatment, self.synthesis.protection, text=column.text)
        except SettingsError as error:
            where = f"tables.{self.name}.columns.{group[0]}.{error.where}".rstrip(".")
            raise SettingsError(error.code, error.message, where=where, remedy=error.remedy) from error


def _read_key(document: dict[str, Any]) -> KeyCodec:
    return (CounterCodec if document["kind"] == CounterCodec.kind else IdentifierCodec).from_json(document)


def _as_far_as_filled(rule: Rule, fills: Mapping[str, Fill | None]) -> Rule:
    """Let a rule fill only what there are protected values for."""
    if isinstance(rule, Missing) and rule.fills and fills[rule.columns[0]] is None:
        return rule.without_filling()
    return rule


def widen(schema: Schema, codec: DatabaseCodec) -> tuple[Schema, tuple[str, ...]]:
    """Let columns be missing that their codecs can make missing, though no value of the source is.

    Value protection may leave nothing of a column, a place goes when one of its two numbers is missing, and
    rare categories may be dropped on request.

    Returns:
        The schema, and the columns that were changed, as ``table.column``.
    """
    changed = {
        name: {
            column
            for factor in table.read_factors
            if _can_be_missing(factor.codec)
            for column in factor.columns
            if not schema.tables[name].column(column).nullable
        }
        for name, table in codec.tables.items()
    }
    for name, table_codec in codec.tables.items():
        changed[name] |= _derived_missing(schema.tables[name], table_codec.rules, changed[name])
    tables = {
        name: replace(
            table,
            columns=tuple(
                replace(column, nullable=column.nullable or column.name in changed.get(name, ()))
                for column in table.columns
            ),
        )
        for name, table in schema.tables.items()
    }
    names = tuple(f"{name}.{column}" for name, columns in changed.items() for column in sorted(columns))
    return replace(schema, tables=tables), names


def _derived_missing(table: Table, rules: tuple[Rule, ...], changed: set[str]) -> set[str]:
    """Name computed columns that may become missing because a source may."""
    found: set[str] = set()
    for rule in rules:
        target = rule.derives
        if not isinstance(rule, Formula) or target is None or table.column(target).nullable:
            continue
        if {*rule.columns[1:]} & (changed | found):
            found.add(target)
    return found


def _can_be_missing(codec: Codec | SequenceCodec | RelativeCodec) -> bool:
    """Tell whether the first code of a codec, which means missing in all of them, may be drawn."""
    if isinstance(codec, SequenceCodec):
        return codec.missing
    if isinstance(codec, CountCodec | SketchCodec) or not codec.sub_columns:
        return False
    forbidden_K = codec.sub_columns[0].forbidden_K
    return forbidden_K is None or not forbidden_K[0]


def row_counts(further: FurtherKeys, table: str) -> dict[str, Rows]:
    """Count for each arranged row the rows of each child table, and those that point at it.

    A table that references itself has the level of each row beside them.
    """
    counts: dict[str, Rows] = {}
    for child in further.structure.children(table):
        parent_R = further.arranged[child].parent_R
        assert parent_R is not None, "a child has a parent"
        counts[child] = np.bincount(parent_R, minlength=len(further.arranged[table].row_R)).astype(np.int64)
    counts |= {str(one): further.in_degrees(one) for one in further.to(table)}
    return counts | {
        level_name(one): find_levels(further.rows(one)).level_R for one in further.late_to_itself(table)
    }


def referenced_rows(table: pa.Table, relation: Relation, database: Database) -> pa.Array:
    """Give the row of the lookup that each row names; missing where it names none."""
    number_R = row_numbers(table, relation, database.tables[relation.references_table])
    return pa.array(number_R, mask=number_R < 0)
