"""Certificate: each guarantee about the result, checked on the tables read back from the written files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
import polars as pl
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from kinsynth.columns.domain import Categories, Domain, Mask, Range
from kinsynth.columns.storage import as_array
from kinsynth.rules.base import Rule
from kinsynth.rules.wording import write_rule
from kinsynth.schema.keys import check_primary_key, orphans
from kinsynth.schema.table import Column, Relation, Schema

GuaranteeCode = Literal[
    "table.written",
    "table.rows",
    "column.type",
    "column.not_null",
    "primary_key.not_null",
    "primary_key.unique",
    "foreign_key.resolved",
    "original.unchanged",
    "rule.kept",
    "column.range",
    "column.precision",
    "column.categories",
]


class Guarantee(BaseModel):
    """One promise about one table, column or relation, and what the check found.

    Attributes:
        code: Which promise.
        where: Table, ``table.column`` or ``table(columns) -> table(columns)``.
        passed: Whether it holds.
        checked_rows: Rows looked at.
        violations: Rows (for types: columns) that break it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: GuaranteeCode
    where: str
    passed: bool
    checked_rows: int
    violations: int


class Certificate(BaseModel):
    """All guarantees of a result."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    guarantees: tuple[Guarantee, ...]

    @property
    def failed(self) -> tuple[Guarantee, ...]:
        """The guarantees that do not hold."""
        return tuple(guarantee for guarantee in self.guarantees if not guarantee.passed)

    def to_json(self) -> str:
        """Give the certificate as text: the same certificate gives the same text."""
        document = {"passed": not self.failed, **self.model_dump(mode="json")}
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    @staticmethod
    def from_json(text: str) -> Certificate:
        """Read what ``to_json`` wrote."""
        return Certificate(guarantees=json.loads(text)["guarantees"])


def certify(
    schema: Schema,
    written: Mapping[str, pa.Table],
    *,
    originals: Mapping[str, pa.Table],
    expected_rows: Mapping[str, int],
    rules: Mapping[str, Sequence[Rule]] = {},
    domains: Mapping[str, Mapping[str, Sequence[Domain]]] = {},
) -> Certificate:
    """Check every guarantee on written tables.

    Args:
        schema: What was declared.
        written: Typed tables as read back from the written files, by name.
        originals: The source's rows of the tables that are copied unchanged.
        expected_rows: Number of rows by table, where it is known.
        rules: What every row keeps, by table.
        domains: What every cell of a column keeps to, by table and column.

    Guarantees:
        Every table, column, primary key, relation, rule and domain is named; a table or column that is
        missing fails. The result does not depend on the order of ``written``.
    """
    found: list[Guarantee] = []
    for name in schema.tables:
        found += _certify_table(schema, name, written, originals.get(name), expected_rows.get(name))
    found += [_certify_relation(relation, written) for relation in schema.relations]
    found += [_certify_rule(name, rule, written) for name, kept in rules.items() for rule in kept]
    for name, columns in domains.items():
        for column, kept_to in columns.items():
            found += _certify_domains(name, column, kept_to, written)
    return Certificate(guarantees=tuple(found))


def _certify_table(
    schema: Schema,
    name: str,
    written: Mapping[str, pa.Table],
    original: pa.Table | None,
    expected: int | None,
) -> Iterator[Guarantee]:
    declared = schema.tables[name]
    if name not in written:
        yield _guarantee("table.written", name, rows=0, violations=1)
        return
    table = written[name]
    different = sum(a != b for a, b in zip(table.column_names, declared.column_names, strict=False))
    different += abs(len(table.column_names) - len(declared.columns))
    yield _guarantee("table.written", name, rows=table.num_rows, violations=different)
    if expected is not None:
        yield _guarantee("table.rows", name, rows=table.num_rows, violations=abs(table.num_rows - expected))
    for column in declared.columns:
        yield from _certify_column(name, column, table)
    if declared.primary_key:
        yield from _certify_key(name, declared.primary_key, table)
    if declared.original:
        violations = table.num_rows or 1 if original is None else count_differences(table, original)
        yield _guarantee("original.unchanged", name, rows=table.num_rows, violations=violations)


def _certify_column(name: str, column: Column, table: pa.Table) -> Iterator[Guarantee]:
    where = f"{name}.{column.name}"
    if column.name not in table.column_names:
        yield _guarantee("column.type", where, rows=0, violations=1)
        return
    values = table.column(column.name)
    yield _guarantee("column.type", where, rows=len(values), violations=str(values.type) != column.storage)
    if not column.nullable:
        yield _guarantee("column.not_null", where, rows=len(values), violations=values.null_count)


def _certify_key(name: str, key: tuple[str, ...], table: pa.Table) -> Iterator[Guarantee]:
    where = f"{name}({', '.join(key)})"
    rows = table.num_rows
    if not set(key) <= set(table.column_names):
        yield _guarantee("primary_key.unique", where, rows=rows, violations=1)
        return
    found = check_primary_key(table, key)
    yield _guarantee("primary_key.not_null", where, rows=rows, violations=found.nulls)
    yield _guarantee("primary_key.unique", where, rows=rows, violations=found.duplicates)


def _certify_relation(relation: Relation, written: Mapping[str, pa.Table]) -> Guarantee:
    where = str(relation)
    child, parent = written.get(relation.table), written.get(relation.references_table)
    if not (_has(child, relation.columns) and _has(parent, relation.references_columns)):
        return _guarantee("foreign_key.resolved", where, rows=0, violations=1)
    assert child is not None
    assert parent is not None
    violations = int(orphans(child, relation, parent).sum())
    return _guarantee("foreign_key.resolved", where, rows=child.num_rows, violations=violations)


def _certify_rule(name: str, rule: Rule, written: Mapping[str, pa.Table]) -> Guarantee:
    where, table = f"{name}: {write_rule(rule.kind, rule.columns)}", written.get(name)
    if table is None or not _has(table, rule.columns):
        return _guarantee("rule.kept", where, rows=0, violations=1)
    columns = {column: as_array(table[column]) for column in rule.columns}
    violations = int(rule.broken(columns).sum())
    return _guarantee("rule.kept", where, rows=table.num_rows, violations=violations)


def _certify_domains(
    name: str, column: str, domains: Sequence[Domain], written: Mapping[str, pa.Table]
) -> Iterator[Guarantee]:
    where, table = f"{name}.{column}", written.get(name)
    rows = 0 if table is None else table.num_rows
    values = None if table is None or column not in table.column_names else as_array(table[column])

    def count(marks: Iterable[Callable[[pa.Array], Mask]]) -> int:
        return 1 if values is None else int(np.logical_or.reduce([mark(values) for mark in marks]).sum())

    if ranges := [domain for domain in domains if isinstance(domain, Range)]:
        yield _guarantee("column.range", where, rows=rows, violations=count(r.outside for r in ranges))
    if stepped := [domain for domain in ranges if domain.has_steps]:
        yield _guarantee("column.precision", where, rows=rows, violations=count(r.off_step for r in stepped))
    if lists := [domain for domain in domains if isinstance(domain, Categories)]:
        yield _guarantee("column.categories", where, rows=rows, violations=count(c.outside for c in lists))


def _has(table: pa.Table | None, columns: tuple[str, ...]) -> bool:
    return table is not None and set(columns) <= set(table.column_names)


def count_differences(table: pa.Table, original: pa.Table) -> int:
    """Count the rows that differ from the original's row at the same place."""
    if table.column_names != original.column_names or table.schema.types != original.schema.types:
        return int(max(table.num_rows, original.num_rows, 1))
    rows = min(table.num_rows, original.num_rows)
    if table.equals(original):
        return 0
    differs = np.zeros(rows, dtype=np.bool_)
    for left, right in zip(table.slice(0, rows).columns, original.slice(0, rows).columns, strict=True):
        differs |= pl.Series(left).ne_missing(pl.Series(right)).to_numpy()
    return int(differs.sum()) + int(abs(table.num_rows - original.num_rows))


def _guarantee(code: GuaranteeCode, where: str, *, rows: int, violations: int) -> Guarantee:
    return Guarantee(
        code=code, where=where, passed=violations == 0, checked_rows=rows, violations=int(violations)
    )
