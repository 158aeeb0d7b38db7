"""Fitted codecs of a database: what the model draws for a row, factor by factor.

A ``Factor`` is one thing the model draws: a column (or a pair), the row of a lookup, the place of a row
in a sequence, or the number of child rows. Keys are no factors: they are made anew and ``link`` fills them.
Columns that a rule computes are the last factors: nothing in the row depends on them, and their drawn codes
are not read. They are there so that rows can be drawn given their values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kinsynth.columns.base import Codec
from kinsynth.columns.categorical import CategoricalCodec
from kinsynth.columns.count import CountCodec
from kinsynth.columns.counter import CounterCodec
from kinsynth.columns.echo import EchoCodec
from kinsynth.columns.fill import Fill
from kinsynth.columns.identifier import IdentifierCodec
from kinsynth.columns.reference import ReferenceCodec
from kinsynth.columns.registry import codec_from_json
from kinsynth.columns.relative import RelativeCodec
from kinsynth.columns.restriction import is_empty
from kinsynth.columns.sequence import SequenceCodec
from kinsynth.columns.sketch import SketchCodec
from kinsynth.encoded import ChildCount, Stay, SubColumn, Together
from kinsynth.engine.means import keep_mean
from kinsynth.pipeline.anchors import Anchor
from kinsynth.pipeline.further_keys import KeysCodec
from kinsynth.pipeline.stays import CONSTANT, stay_of
from kinsynth.pipeline.successions import Succession
from kinsynth.rules.base import Rule
from kinsynth.rules.formula import Formula
from kinsynth.rules.registry import rule_from_json
from kinsynth.schema.table import Schema, Table

Rows = NDArray[np.int64]
KeyCodec = IdentifierCodec | CounterCodec
FactorKind = Literal["column", "relative", "echo", "reference", "sequence", "count", "sketch"]


@dataclass(frozen=True)
class Factor:
    """One thing the model draws for a row.

    Attributes:
        kind: What it is.
        columns: Columns of the table it reads and fills; empty for a count or a sketch.
        codec: How it becomes codes.
        child: What a count or a sketch is about: a child table, or a further key that leads to the table;
            empty otherwise.
        anchor: The column that it counts from or repeats, of the table itself or of its anchors; empty for
            none.
    """

    kind: FactorKind
    columns: tuple[str, ...]
    codec: Codec | SequenceCodec | RelativeCodec | EchoCodec
    child: str = ""
    anchor: str = ""

    @property
    def stays(self) -> bool:
        """Whether it says that a column of a child table stays the same."""
        return isinstance(self.codec, SketchCodec) and self.codec.statistic == CONSTANT


def _even(factor: Factor) -> NDArray[np.bool_] | None:
    """Tell which codes of a reference, a count or what stays are spread evenly; None for other factors."""
    codec = factor.codec
    if factor.stays or factor.kind == "count":
        return np.ones(codec.sub_columns[0].cardinality, dtype=np.bool_)
    return codec.told_codes() if factor.kind == "reference" and isinstance(codec, CategoricalCodec) else None


def _several(factor: Factor) -> NDArray[np.bool_] | None:
    """Tell which codes of a reference stand for several rows; None where none does."""
    codec = factor.codec
    return codec.several if isinstance(codec, ReferenceCodec) and codec.pools else None


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
        apart: Factors on all of which rows of one owner never agree, for each key that says so.
        anchors: Cells of other rows that factors count from or repeat, or that rules read.
        constant: First columns of the factors on which rows of one owner always agree.
        unlike: Pairs of references to one original table that never name the same row of it.
        together: Pairs of sub-columns of references of which only some codes go together.
        runs: By column of made-up texts how often a row has that of the row before.
        successions: Orders between the rows and those of the table that they point to.
    """

    name: str
    parent: str | None
    ordered: bool
    factors: tuple[Factor, ...]
    keys: Mapping[str, KeyCodec]
    rules: tuple[Rule, ...] = ()
    fills: Mapping[str, Fill] = field(default_factory=dict)
    apart: tuple[tuple[int, ...], ...] = ()
    anchors: tuple[Anchor, ...] = ()
    constant: tuple[str, ...] = ()
    unlike: tuple[tuple[int, int], ...] = ()
    together: tuple[Together, ...] = ()
    runs: Mapping[str, float] = field(default_factory=dict)
    successions: tuple[Succession, ...] = ()

    @property
    def read_by_rules(self) -> tuple[Anchor, ...]:
        """Cells of other rows that stand beside the columns when all rows are known."""
        return (*self.anchors, *(one.anchor for one in self.successions))

    @property
    def computed(self) -> frozenset[str]:
        """Columns whose values a rule gives, not the codes drawn for them."""
        return frozenset(rule.derives for rule in self.rules if rule.derives is not None)

    @property
    def pooled(self) -> bool:
        """Whether a reference leads to pools."""
        return any(_several(factor) is not None for factor in self.factors)

    @property
    def read_factors(self) -> tuple[Factor, ...]:
        """The factors whose drawn codes become values: all but the computed columns."""
        return tuple(factor for factor in self.factors if not self.computed & {*factor.columns})

    @property
    def sub_columns(self) -> tuple[SubColumn, ...]:
        """Sub-columns of all factors, numbered by factor.

        Those of computed columns are not shown. References are spread evenly: how many rows point at each
        row of a lookup is a fact of the lookup, not of one row; but for pools that few roots point at.
        So are counts, by how many rows have each, and what stays the same, for how many rows.
        """
        return tuple(
            replace(
                sub,
                column=number,
                shown=not self.computed & {*factor.columns},
                keys=self._keys(number),
                even_K=_even(factor) if place == 0 else None,
                several_K=_several(factor) if place == 0 else None,
            )
            for number, factor in enumerate(self.factors)
            for place, sub in enumerate(factor.codec.sub_columns)
        )

    @property
    def shares(self) -> dict[int, NDArray[np.float64]]:
        """Give the shares of what references to original rows lead to, and of counts, by sub-column.

        NaN for missing references, and for rows that few roots reference.
        """
        references = {
            span.start: factor.codec.code_shares()
            for factor, span in zip(self.factors, self.spans, strict=True)
            if factor.kind == "reference" and isinstance(factor.codec, CategoricalCodec)
        }
        return {**references, **self._count_shares()}

    def _count_shares(self) -> dict[int, NDArray[np.float64]]:
        mass = {one.child: one.codec.mass_K for one in self.factors if isinstance(one.codec, CountCodec)}
        return {
            count.sub_column: keep_mean(mass[count.child] / mass[count.child].sum(), count)
            for count in self.counts
            if mass[count.child].any()
        }

    def _keys(self, factor: int) -> tuple[int, ...]:
        return tuple(number for number, factors in enumerate(self.apart) if factor in factors)

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
            ChildCount(factor.child, span.start, factor.codec.low_K, factor.codec.high_K, factor.codec.mean)
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
            "apart": [list(factors) for factors in self.apart],
            "anchors": [anchor.to_json() for anchor in self.anchors],
            "constant": list(self.constant),
            "unlike": [list(factors) for factors in self.unlike],
            "together": [pair.to_json() for pair in self.together],
            "runs": dict(self.runs),
            "successions": [one.to_json() for one in self.successions],
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
        apart = tuple(tuple(numbers) for numbers in document["apart"])
        anchors = tuple(Anchor.from_json(anchor) for anchor in document["anchors"])
        plain = (document["name"], document["parent"], document["ordered"])
        constant = tuple(document["constant"])
        unlike = tuple((first, second) for first, second in document["unlike"])
        together = tuple(Together.from_json(pair) for pair in document["together"])
        return TableCodec(
            *plain,
            factors,
            keys,
            rules,
            fills,
            apart,
            anchors,
            constant,
            unlike,
            together,
            document["runs"],
            tuple(Succession.from_json(one) for one in document["successions"]),
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
    def anchors(self) -> dict[str, tuple[Anchor, ...]]:
        """Cells of other rows that are read, by table."""
        return {name: table.anchors for name, table in self.tables.items()}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all tables that are learned, in the order they are drawn."""
        early = {codec.table: name for name, codec in self.keys.items() if not codec.late}
        order = [name for table in self.tables for name in (early.get(table), table) if name is not None]
        return (*order, *(name for name, codec in self.keys.items() if codec.late))

    @property
    def has_references(self) -> bool:
        """Whether any row references an original one."""
        return any(factor.kind == "reference" for table in self.tables.values() for factor in table.factors)

    @property
    def has_pools(self) -> bool:
        """Whether a reference leads to pools: which of their rows it names is settled over all rows."""
        return any(table.pooled for table in self.tables.values())

    def sub_columns(self, name: str) -> tuple[SubColumn, ...]:
        """Give the sub-columns of a table or a table of keys."""
        return self.tables[name].sub_columns if name in self.tables else self.keys[name].sub_columns

    def stays(self, name: str) -> dict[str, Stay]:
        """Give what stays the same over the rows of one owner, by the first column of the factor."""
        if name not in self.tables or (parent := self.tables[name].parent) is None:
            return {}
        table, owner = self.tables[name], self.tables[parent]
        spans = {
            one.columns[0]: (one, span)
            for one, span in zip(table.factors, table.spans, strict=True)
            if one.columns
        }
        found = {column: stay_of(spans[column][0].codec, spans[column][1]) for column in table.constant}
        for one, said in zip(owner.factors, owner.spans, strict=True):
            if one.stays and one.child == name:
                assert isinstance(one.codec, SketchCodec), "what is said is a sketch"
                factor, span = spans[one.codec.column]
                found[one.codec.column] = stay_of(factor.codec, span, said=said.start, says=one.codec)
        return found

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


def _read_key(document: dict[str, Any]) -> KeyCodec:
    return (CounterCodec if document["kind"] == CounterCodec.kind else IdentifierCodec).from_json(document)


def widen(schema: Schema, codec: DatabaseCodec) -> tuple[Schema, tuple[str, ...]]:
    """Let columns be missing that their codecs can make missing, though no value of the source is.

    Value protection may leave nothing of a column, a place goes when one of its two numbers is missing, and
    rare categories may be dropped on request. Parts of primary keys stay as they are: rows that lack one are
    left out.

    Returns:
        The schema, and the columns that were changed, as ``table.column``.
    """
    changed = {
        name: {
            column
            for factor in table.read_factors
            if can_be_missing(factor.codec)
            for column in factor.columns
            if not schema.tables[name].column(column).nullable
            and column not in schema.tables[name].primary_key
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


def can_be_missing(codec: Codec | SequenceCodec | RelativeCodec | EchoCodec) -> bool:
    """Tell whether the first code of a codec, which means missing in all of them, may be drawn."""
    if isinstance(codec, SequenceCodec):
        return codec.missing
    if isinstance(codec, EchoCodec):
        return codec.missing or is_empty(codec.inner)
    if isinstance(codec, CountCodec | SketchCodec) or not codec.sub_columns:
        return False
    forbidden_K = codec.sub_columns[0].forbidden_K
    return forbidden_K is None or not forbidden_K[0]
