"""The proof: every declared key, reference, constraint and original, counted on the written tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from kinsynth.certificate.circle import count_on_circles
from kinsynth.certificate.condition import broken_rows, find_misfit
from kinsynth.certificate.guarantee import Guarantee, make_guarantee
from kinsynth.certificate.numbering import (
    MISSING,
    Keys,
    Numbers,
    count_repeats,
    find_rows,
    number_keys,
    number_pairs,
)
from kinsynth.certificate.original import count_differences
from kinsynth.schema.check import Check
from kinsynth.schema.table import Column, Relation, Schema, Table
from kinsynth.system.mapping import let_go


@dataclass(frozen=True)
class Statement:
    """What must hold.

    Attributes:
        schema: Tables with their columns, keys and checks, and the relations between them.
        originals: The source's rows of the tables that are copied unchanged.
        expected_rows: Number of rows by table, where it is known.
    """

    schema: Schema
    originals: Mapping[str, pa.Table] = field(default_factory=dict)
    expected_rows: Mapping[str, int] = field(default_factory=dict)


def prove(statement: Statement, written: Mapping[str, pa.Table]) -> tuple[Guarantee, ...]:
    """Check on written tables what was declared.

    Args:
        statement: What must hold.
        written: Typed tables as read back from the written files, by name.

    Returns:
        A guarantee for everything that is declared, held or not; a table or column that is missing breaks all
        that is declared of it. The result does not depend on the order of ``written``.

    Memory: mapped tables are let go of after each guarantee, so that no more than the columns of one key and
    its numbers are held.
    """
    found: list[Guarantee] = []
    for table in statement.schema.tables.values():
        for guarantee in _prove_table(statement, table, written):
            found.append(guarantee)
            let_go()
    for relation in statement.schema.relations:
        found += _prove_relation(relation, written)
        let_go()
    return tuple(found)


def _prove_table(statement: Statement, table: Table, written: Mapping[str, pa.Table]) -> Iterator[Guarantee]:
    name, rows = table.name, written.get(table.name)
    yield from _prove_presence(table, rows, statement.expected_rows.get(name))
    for column in table.columns:
        yield from _prove_column(name, column, rows)
    yield from _prove_keys(statement.schema, table, rows)
    for check in table.checks:
        yield _prove_check(name, check, rows)
    if table.original:
        original = statement.originals.get(name)
        count = 0 if rows is None else rows.num_rows
        broken = (count or 1) if rows is None or original is None else count_differences(rows, original)
        yield make_guarantee("original.equal", name, rows=count, violations=broken)


def _prove_presence(table: Table, rows: pa.Table | None, expected: int | None) -> Iterator[Guarantee]:
    if rows is None:
        yield make_guarantee("table.present", table.name, rows=0, violations=1)
        return
    names = rows.column_names
    different = sum(a != b for a, b in zip(names, table.column_names, strict=False))
    different += abs(len(names) - len(table.columns))
    yield make_guarantee("table.present", table.name, rows=rows.num_rows, violations=different)
    if expected is not None:
        lost = abs(rows.num_rows - expected)
        yield make_guarantee("table.rows", table.name, rows=rows.num_rows, violations=lost)


def _prove_column(name: str, column: Column, rows: pa.Table | None) -> Iterator[Guarantee]:
    where = f"{name}.{column.name}"
    if rows is None or column.name not in rows.column_names:
        yield make_guarantee("column.type", where, rows=0, violations=1)
        return
    values = rows.column(column.name)
    other = str(values.type) != column.storage
    yield make_guarantee("column.type", where, rows=len(values), violations=other)
    if not column.nullable:
        yield make_guarantee("column.not_null", where, rows=len(values), violations=values.null_count)


def _prove_keys(schema: Schema, table: Table, rows: pa.Table | None) -> Iterator[Guarantee]:
    """Prove the primary key and the unique keys, and what they mean for the references they are made of."""
    for key in dict.fromkeys((*((table.primary_key,) if table.primary_key else ()), *table.unique_keys)):
        where, columns = f"{table.name}({', '.join(key)})", _columns(rows, key)
        count = 0 if rows is None else rows.num_rows
        missing, repeated = (1, 1) if columns is None else _count_key(columns)
        if key == table.primary_key:
            yield make_guarantee("primary_key.not_null", where, rows=count, violations=missing)
            yield make_guarantee("primary_key.unique", where, rows=count, violations=repeated)
        if key in table.unique_keys:
            yield make_guarantee("unique_key.unique", where, rows=count, violations=repeated)
        relations = [one for one in schema.outgoing(table.name) if set(one.columns) <= set(key)]
        for relation in relations:
            if set(relation.columns) == set(key):
                yield make_guarantee("one_to_one.unique", str(relation), rows=count, violations=repeated)
        if _is_bridge(key, relations):
            yield make_guarantee("bridge.unique", where, rows=count, violations=repeated)


def _is_bridge(key: tuple[str, ...], relations: Sequence[Relation]) -> bool:
    """Tell whether a key is made of two references or more, and of nothing else."""
    parts = {frozenset(relation.columns) for relation in relations} - {frozenset(key)}
    return len(parts) > 1 and frozenset().union(*parts) == frozenset(key)


def _count_key(columns: Keys) -> tuple[int, int]:
    """Count the rows whose key is missing, and those whose key stands in an earlier row."""
    numbers_R = number_keys(columns)
    return int((numbers_R == MISSING).sum()), count_repeats(numbers_R)


def _prove_check(name: str, check: Check, rows: pa.Table | None) -> Guarantee:
    where = f"{name}: {check}"
    fits = rows is not None and find_misfit(check, rows.schema) is None
    count = 0 if rows is None else rows.num_rows
    broken = int(broken_rows(check, rows).sum()) if fits else 1
    if check.is_enumeration:
        return make_guarantee("enumeration.kept", where, rows=count, violations=broken)
    return make_guarantee("check.kept", where, rows=count, violations=broken)


def _prove_relation(relation: Relation, written: Mapping[str, pa.Table]) -> Iterator[Guarantee]:
    """Prove that complete references name a row, and that none leads back where that is said."""
    where = str(relation)
    keys = _columns(written.get(relation.table), relation.columns)
    among = _columns(written.get(relation.references_table), relation.references_columns)
    rows = len(keys[0]) if keys else 0
    broken, circular = (1, 1) if keys is None or among is None else _follow(keys, among, relation.acyclic)
    yield make_guarantee("foreign_key.resolved", where, rows=rows, violations=broken)
    if relation.acyclic:
        yield make_guarantee("self_reference.acyclic", where, rows=rows, violations=circular)


def _follow(keys: Keys, among: Keys, circles: bool) -> tuple[int, int]:
    """Count the references that name no row and, when asked for, the rows on circles."""
    numbers_R, numbers_P = number_pairs(keys, among)
    rows_R: Numbers = find_rows(numbers_R, numbers_P)
    orphans = int(((rows_R < 0) & (numbers_R != MISSING)).sum())
    return orphans, count_on_circles(rows_R) if circles else 0


def _columns(rows: pa.Table | None, names: tuple[str, ...]) -> Keys | None:
    """Give columns of a table; None when it or one of them is not there."""
    if rows is None or not set(names) <= set(rows.column_names):
        return None
    return [rows.column(name) for name in names]
