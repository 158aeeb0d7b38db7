"""Preparation: conditions in a user's words to codes the engine keeps to, cells to write back, and codecs.

Shape letters: R rows, C sub-columns, K codes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.columns.categorical import OTHER, CategoricalCodec
from kinsynth.columns.count import CountCodec
from kinsynth.columns.echo import EchoCodec
from kinsynth.columns.relative import RelativeCodec
from kinsynth.columns.restriction import own_code, without_missing, without_values
from kinsynth.columns.sequence import SequenceCodec
from kinsynth.columns.sketch import SketchCodec
from kinsynth.encoded import IntArray
from kinsynth.engine.evidence import UNKNOWN, Condition, Shares
from kinsynth.errors import Finding, SettingsError
from kinsynth.pipeline.codecs import DatabaseCodec, Factor, TableCodec
from kinsynth.pipeline.conditions import Conditions, contradiction, read_column, read_values
from kinsynth.pipeline.exclusion import Excluded, exclude, name_needed
from kinsynth.pipeline.known import Known
from kinsynth.pipeline.notices import find_notices
from kinsynth.schema.graph import find_structure
from kinsynth.schema.keys import check_primary_key, row_numbers
from kinsynth.schema.table import Relation, Schema


@dataclass(frozen=True)
class Prepared:
    """All that one drawing keeps to.

    Attributes:
        codec: How codes become values.
        schema: Schema of the result.
        conditions: What the engine keeps to, by table.
        known: Cells to write back, by root table.
        excluded: What no rule may write, by table.
        findings: What the user should know; none of them stops the drawing.
    """

    codec: DatabaseCodec
    schema: Schema
    conditions: Mapping[str, Condition]
    known: Mapping[str, Known]
    excluded: Mapping[str, Excluded]
    findings: tuple[Finding, ...] = ()


def prepare(
    conditions: Conditions,
    codec: DatabaseCodec,
    schema: Schema,
    *,
    originals: Mapping[str, pa.Table],
    rows: Mapping[str, int],
) -> Prepared:
    """Check conditions against a model and turn them into numbers.

    Args:
        conditions: In the user's words.
        codec: Codecs of the model.
        schema: Schema of the model.
        originals: Lookup tables.
        rows: Rows to draw of each root table.

    Raises:
        KinsynthError: A table, column or value does not fit; no cell is told.
    """
    work = _Preparation(conditions, codec, schema, originals)
    work.check_names()
    restricted = work.restricted()
    known = {name: work.known(name, rows[name]) for name in {**conditions.given, **conditions.fixed}}
    shares = {name: work.shares(name, restricted.tables[name]) for name in conditions.balance}
    return Prepared(
        codec=restricted,
        schema=work.narrowed_schema(),
        conditions={
            name: Condition(
                known_RC=work.codes(name, known[name]) if name in known else None, shares=shares.get(name)
            )
            for name in {**known, **shares}
        },
        known=known,
        excluded={name: work.excluded(table) for name, table in codec.tables.items()},
        findings=tuple(find_notices(conditions, codec, known)),
    )


@dataclass(frozen=True)
class _Preparation:
    conditions: Conditions
    codec: DatabaseCodec
    schema: Schema
    originals: Mapping[str, pa.Table]

    def check_names(self) -> None:
        """Refuse tables and columns that the model does not draw, and known values of child tables."""
        asked = self.conditions
        for name in {**asked.given, **asked.fixed}:
            if self._table(name).parent is not None:
                raise SettingsError(
                    "condition.child_table",
                    "Known values can be given for root tables only; their children are drawn.",
                    where=name,
                    remedy=f"Give rows of {self._root_of(name)} instead: all rows below them are drawn. Of a "
                    "child table, shares (balance) and values to keep out (never) can be asked for.",
                )
        named = {name: list(table.column_names) for name, table in asked.given.items()}
        for part in (
            named,
            asked.fixed,
            asked.empty_is_missing,
            asked.balance,
            asked.never,
            asked.no_missing,
        ):
            for name, columns in part.items():
                self._table(name)
                for column in columns:
                    self._check_column(name, column)
        for name, values in asked.fixed.items():
            for column in values:
                self._check_fixed_once(name, column)
        for name, shares in asked.balance.items():
            for column in shares:
                self._check_left_to_draw(name, column)

    def _root_of(self, name: str) -> str:
        """Name the root table that a table hangs on."""
        while (parent := self._table(name).parent) is not None:
            name = parent
        return name

    def _known_cells(self, name: str, column: str) -> int:
        """Count the cells that are given, or known to be missing."""
        given = self.conditions.given.get(name, pa.table({}))
        if column not in given.column_names:
            return 0
        unknown = column not in self.conditions.empty_is_missing.get(name, ())
        return len(given) - (given[column].null_count if unknown else 0)

    def _check_fixed_once(self, name: str, column: str) -> None:
        if self._known_cells(name, column) or column in self.conditions.balance.get(name, {}):
            raise contradiction(f"{name}.{column}")

    def _check_left_to_draw(self, name: str, column: str) -> None:
        """Refuse shares of a column that is known in every given row: nothing of it is drawn."""
        known = self._known_cells(name, column)
        if known and known == len(self.conditions.given[name]):
            raise SettingsError(
                "condition.contradiction",
                f"All {known:,} cells of the column are given, so that no share of its values can be drawn.",
                where=f"{name}.{column}",
                remedy="Leave the share out, or empty the cells that shall be drawn.",
            )

    def _table(self, name: str) -> TableCodec:
        if name not in self.codec.tables:
            raise SettingsError(
                "condition.unknown_table",
                f"The model draws no such table; it draws {', '.join(self.codec.tables)}.",
                where=name,
                remedy="Name a table that is drawn.",
            )
        return self.codec.tables[name]

    def _check_column(self, name: str, column: str) -> None:
        table = self.codec.tables[name]
        drawn = {one for factor in table.factors for one in factor.columns} | set(table.keys)
        linked = self.schema.foreign_columns(name)
        free = {one for one in self.schema.tables[name].column_names if one not in linked}
        if column not in drawn | free:
            raise SettingsError(
                "condition.unknown_column",
                "The model draws no such column.",
                where=f"{name}.{column}",
                remedy="Name a column of the result that is no key to a parent.",
            )

    def _factor(self, name: str, column: str) -> int:
        """Give the number of the factor that draws a column."""
        for number, factor in enumerate(self.codec.tables[name].factors):
            if column in factor.columns:
                return number
        raise SettingsError(
            "condition.key_column",
            "The column is no draw of the model: a key is made anew.",
            where=f"{name}.{column}",
            remedy="Leave the column out.",
        )

    # Less is generated

    def restricted(self) -> DatabaseCodec:
        """Give codecs that generate less."""
        tables = {name: self._restricted(table) for name, table in self.codec.tables.items()}
        return replace(self.codec, tables=tables)

    def _restricted(self, table: TableCodec) -> TableCodec:
        factors = list(table.factors)
        no_missing = self.conditions.no_missing.get(table.name, ())
        needed = _with_anchors((*name_needed(table.rules, no_missing), *self._now_drawn(table)), factors)
        for column in needed:
            number = self._factor(table.name, column)
            codec = _explained(f"{table.name}.{column}", without_missing, factors[number].codec)
            factors[number] = replace(factors[number], codec=codec)
        for column, values in self.conditions.never.get(table.name, {}).items():
            number = self._factor(table.name, column)
            refused = self._values(table.name, column, factors[number], values).drop_null()
            codec = _explained(f"{table.name}.{column}", without_values, factors[number].codec, refused)
            factors[number] = replace(factors[number], codec=codec)
        return replace(table, factors=tuple(factors))

    def _now_drawn(self, table: TableCodec) -> list[str]:
        """Name the computed columns that may have to be drawn and are never missing."""
        drawn = table.computed & {*self.conditions.never.get(table.name, {})}
        return sorted(one for one in drawn if not self.schema.tables[table.name].column(one).nullable)

    def excluded(self, table: TableCodec) -> Excluded:
        """Give what no rule of a table may write."""
        never = {
            column: self._values(
                table.name, column, table.factors[self._factor(table.name, column)], values
            ).drop_null()
            for column, values in self.conditions.never.get(table.name, {}).items()
        }
        no_missing = self.conditions.no_missing.get(table.name, ())
        return exclude(table.rules, never=never, no_missing=no_missing)

    def narrowed_schema(self) -> Schema:
        """Give the schema in which columns without missing values say so."""
        tables = {
            name: replace(
                table,
                columns=tuple(
                    replace(
                        one,
                        nullable=one.nullable and one.name not in self.conditions.no_missing.get(name, ()),
                    )
                    for one in table.columns
                ),
            )
            for name, table in self.schema.tables.items()
        }
        return replace(self.schema, tables=tables)

    def _values(self, name: str, column: str, factor: Factor, values: Sequence[Any]) -> pa.Array:
        """Read values of a column as its codec takes them: row numbers for references."""
        where = f"{name}.{column}"
        read = read_values(values, self.schema.tables[name].column(column), where)
        if factor.kind != "reference":
            return read
        relation = self._relation(name, factor)
        if len(relation.columns) > 1:
            raise SettingsError(
                "condition.key_column",
                "The column is one part of a key; its values cannot be told apart alone.",
                where=where,
                remedy="Leave the column out.",
            )
        row_R = self._reference_rows(relation, {column: read}, read.is_valid())
        return pa.array(row_R, mask=row_R < 0)

    def _relation(self, name: str, factor: Factor) -> Relation:
        relations = find_structure(self.schema).reference_relations[name]
        return next(relation for relation in relations if relation.columns == factor.columns)

    def _reference_rows(
        self, relation: Relation, cells: Mapping[str, pa.Array], known: pa.Array
    ) -> NDArray[np.int64]:
        table = pa.table({column: cells[column] for column in relation.columns})
        row_R = row_numbers(table, relation, self.originals[relation.references_table])
        if (row_R[known.to_numpy(zero_copy_only=False)] < 0).any():
            raise SettingsError(
                "condition.unknown_reference",
                f"A value names no row of {relation.references_table}.",
                where=str(relation),
                remedy=f"Give keys that {relation.references_table} has.",
            )
        return row_R

    # Shares

    def shares(self, name: str, restricted: TableCodec) -> Shares | None:
        """Turn the shares of one column into shares of codes."""
        where = f"{name}.{'.'.join(self.conditions.balance[name])}"
        if len(self.conditions.balance[name]) != 1:
            raise _share_error(where, "Shares are given for several columns; expected one in each table.")
        ((column, wanted),) = self.conditions.balance[name].items()
        number = self._factor(name, column)
        factor, place = restricted.factors[number], restricted.spans[number].start
        codes = [self._own_code(name, column, factor, value) for value in wanted]
        share_G = np.array([float(share) for share in wanted.values()])
        if len(set(codes)) < len(codes) or not (share_G >= 0).all() or share_G.sum() > 1 + 1e-9:
            raise _share_error(where, "Shares must be 0 or more and add up to at most 1, each value once.")
        sub = factor.codec.sub_columns[0]
        allowed_GK = np.zeros((len(codes), sub.cardinality), dtype=bool)
        allowed_GK[np.arange(len(codes)), codes] = True
        others_K = ~allowed_GK.any(axis=0)
        if sub.forbidden_K is not None:
            others_K &= ~sub.forbidden_K
        left = 1 - float(share_G.sum())
        if left > 1e-9 and not others_K.any():
            raise _share_error(where, "All values are named, but their shares do not add up to 1.")
        if left > 1e-9:
            allowed_GK, share_G = np.vstack([allowed_GK, others_K]), np.append(share_G, left)
        return Shares(place, allowed_GK, share_G / share_G.sum())

    def _own_code(self, name: str, column: str, factor: Factor, value: Any) -> int:
        read = self._values(name, column, factor, [value])
        code = own_code(factor.codec, read)
        if code is None:
            raise SettingsError(
                "condition.share_value",
                "A value is rare, unknown, kept out or one of a range: the model does not draw it by itself.",
                where=f"{name}.{column}",
                remedy="Give shares for categories and for frequent single numbers or days.",
            )
        return code

    # Known cells

    def known(self, name: str, rows: int) -> Known:
        """Read the known cells of one root table."""
        given, fixed = self.conditions.given.get(name), self.conditions.fixed.get(name, {})
        shape, structure = self.schema.tables[name], find_structure(self.schema)
        cells = (
            {}
            if given is None
            else {
                column: read_column(given[column], shape.column(column), f"{name}.{column}")
                for column in given.column_names
            }
        )
        for column, value in fixed.items():
            one = read_values([value], shape.column(column), f"{name}.{column}")
            cells[column] = pa.concat_arrays([one] * 1).take(pa.array(np.zeros(rows, dtype=np.int64)))
        empty = {
            *self.conditions.empty_is_missing.get(name, ()),
            *(key for key, value in fixed.items() if value is None),
        }
        known = {
            column: np.ones(rows, dtype=bool)
            if column in empty
            else cells[column].is_valid().to_numpy(zero_copy_only=False)
            for column in cells
        }
        self._check_missing(name, cells, empty)
        self._check_keys(name, cells)
        references = {
            relation: self._reference_rows(relation, cells, _all_valid(cells, relation))
            for relation in structure.reference_relations[name]
            if set(relation.columns) <= set(cells)
        }
        reference_known = {
            relation: np.logical_and.reduce([known[column] for column in relation.columns])
            for relation in references
        }
        return Known(cells, known, references, reference_known)

    def _check_missing(self, name: str, cells: Mapping[str, pa.Array], empty: set[str]) -> None:
        for column in empty & set(cells) & set(self.conditions.no_missing.get(name, ())):
            if cells[column].null_count:
                raise SettingsError(
                    "condition.missing_given",
                    "An empty cell is said to be missing, and the column is not to be missing.",
                    where=f"{name}.{column}",
                    remedy="Take the column out of empty_is_missing, or out of no_missing.",
                )
        for column in empty & set(cells):
            if cells[column].null_count and not self.schema.tables[name].column(column).nullable:
                raise SettingsError(
                    "condition.never_missing",
                    "An empty cell is said to be missing, but the column has no missing values.",
                    where=f"{name}.{column}",
                    remedy="Take the column out of empty_is_missing: empty cells are then filled.",
                )

    def _check_keys(self, name: str, cells: Mapping[str, pa.Array]) -> None:
        for column in self.codec.tables[name].keys:
            if column not in cells:
                continue
            found = check_primary_key(pa.table({column: cells[column]}), [column])
            unique = self.schema.tables[name].primary_key == (column,)
            if found.nulls or (found.duplicates and unique):
                raise SettingsError(
                    "condition.key",
                    f"{found.nulls:,} cells of the key are empty and {found.duplicates:,} repeat others.",
                    where=f"{name}.{column}",
                    remedy="Give every row a key of its own, or leave the column out: new keys are made.",
                )

    def codes(self, name: str, known: Known) -> IntArray:
        """Give the codes of known cells, ``UNKNOWN`` elsewhere."""
        table = self.codec.tables[name]
        codes_RC = np.full((known.rows, len(table.sub_columns)), UNKNOWN, dtype=np.int32)
        for factor, span in zip(table.factors, table.spans, strict=True):
            read = (*factor.columns, factor.anchor) if factor.kind == "relative" else factor.columns
            unread = (
                CountCodec | SketchCodec | SequenceCodec | EchoCodec
            )  # the cell that may be repeated is not known
            if isinstance(factor.codec, unread) or not set(read) <= set(known.cells):
                continue
            values: tuple[pa.Array, ...] = tuple(known.cells[column] for column in read)
            if factor.kind == "reference":
                row_R = known.references[self._relation(name, factor)]
                values = (pa.array(row_R, mask=row_R < 0),)
            known_R = np.logical_and.reduce([known.known[column] for column in read])
            code_RC = (
                factor.codec.encode(*values)
                if isinstance(factor.codec, RelativeCodec)
                else factor.codec.encode(values)
            )
            # Learned from a few roots or none: what goes with it is theirs alone, or nothing.
            if isinstance(factor.codec, CategoricalCodec):
                known_R = known_R & factor.codec.is_told(code_RC)
            else:
                known_R = known_R & (code_RC[:, :1] != OTHER).all(axis=1)
            codes_RC[known_R, span] = code_RC[known_R]
        return codes_RC


def _with_anchors(names: Iterable[str], factors: Sequence[Factor]) -> list[str]:
    """Name columns and those that they are counted from: without its anchor a value is missing."""
    anchors = {factor.columns[0]: factor.anchor for factor in factors if factor.kind == "relative"}
    found, drawn = {*names}, {name for factor in factors for name in factor.columns}
    while more := {anchors[name] for name in found if anchors.get(name) in drawn} - found:
        found |= more
    return sorted(found)


def _all_valid(cells: Mapping[str, pa.Array], relation: Relation) -> pa.Array:
    valid = np.logical_and.reduce(
        [cells[column].is_valid().to_numpy(zero_copy_only=False) for column in relation.columns]
    )
    return pa.array(valid)


def _share_error(where: str, message: str) -> SettingsError:
    return SettingsError(
        "condition.shares",
        message,
        where=where,
        remedy="Write for example yes=0.5; other values share the rest.",
    )


def _explained(where: str, restrict: Any, *arguments: Any) -> Any:
    """Restrict a codec; an error says of which column."""
    try:
        return restrict(*arguments)
    except SettingsError as error:
        raise SettingsError(error.code, error.message, where=where, remedy=error.remedy) from error
