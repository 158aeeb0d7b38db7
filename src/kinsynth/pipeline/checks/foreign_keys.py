"""Set foreign keys: targets exist, types agree, and no orphans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from kinsynth.errors import Finding
from kinsynth.pipeline.checks.facts import (
    Facts,
    Step,
    column_path,
    list_names,
    show_rows,
    suggest,
    table_path,
)
from kinsynth.schema.keys import check_primary_key, comparable, orphans
from kinsynth.schema.storage import storage_type
from kinsynth.schema.table import Relation
from kinsynth.settings.tables import ForeignKey

_STEP = Step("foreign_keys")


def find_foreign_keys(facts: Facts) -> Iterator[Finding]:
    """Give the findings of the step."""
    for name in facts.schema.tables:
        for number, key in enumerate(facts.settings(name).foreign_keys or ()):
            yield from _find_declared(facts, name, number, key)
    for (table, _, parent), count in Counter(map(_identity, facts.schema.relations)).items():
        if count > 1:
            yield _duplicate(table, parent)
    for relation in dict.fromkeys(facts.schema.relations):
        yield from _find_values(facts, relation)


def _identity(relation: Relation) -> tuple[str, frozenset[tuple[str, str]], str]:
    pairs = zip(relation.columns, relation.references_columns, strict=True)
    return relation.table, frozenset(pairs), relation.references_table


def _duplicate(table: str, parent: str) -> Finding:
    where = table_path(table, "foreign_keys")
    message = f"The same reference to {parent} stands twice."
    return _STEP.error("foreign_keys.duplicate", where, message, f"Remove one of the entries of {where}.")


def where_is(facts: Facts, relation: Relation) -> str:
    """Write the place of a relation: its entry in the document, or the table's foreign keys."""
    for number, key in enumerate(facts.settings(relation.table).foreign_keys or ()):
        if key.columns == relation.columns and key.table == relation.references_table:
            return table_path(relation.table, "foreign_keys", str(number))
    return table_path(relation.table, "foreign_keys")


# What the document says


def _find_declared(facts: Facts, name: str, number: int, key: ForeignKey) -> Iterator[Finding]:
    where = table_path(name, "foreign_keys", str(number))
    if left_out := _left_out(facts, name, key):
        yield _STEP.notice(
            "foreign_keys.left_out",
            where,
            f"The reference takes no part, since {left_out} is left out.",
            "Nothing is to be done.",
        )
        return
    if key.table not in facts.schema.tables:
        yield _STEP.error(
            "foreign_keys.unknown_table",
            where,
            f"The referenced table {key.table} does not exist.",
            f"Correct the name, or remove this entry. {suggest(key.table, facts.schema.tables)}",
        )
        return
    yield from _find_unknown_columns(facts, where, name, key.columns)
    yield from _find_unknown_columns(facts, where, key.table, key.references)
    target = key.references or facts.schema.tables[key.table].primary_key
    if target and len(target) != len(key.columns):
        yield _STEP.error(
            "foreign_keys.columns_differ",
            where,
            f"{len(key.columns)} columns reference {len(target)}: {list_names(target)}.",
            f"Write as many columns as {key.table} is referenced by.",
        )
    elif key.orphans == "null" and set(key.columns) <= set(facts.schema.tables[name].primary_key):
        yield _STEP.error(
            "foreign_keys.null_in_key",
            where,
            "All its columns are part of the primary key and cannot be made missing.",
            "Write orphans: drop, or orphans: refuse.",
        )


def _left_out(facts: Facts, name: str, key: ForeignKey) -> str:
    """Give what the document itself leaves out of a relation: a column, or the referenced table."""
    if key.table in facts.source and key.table not in facts.schema.tables:
        return key.table
    sides = ((name, key.columns), (key.table, key.references))
    for table, columns in sides:
        known = facts.schema.tables[table].column_names if table in facts.schema.tables else ()
        for column in columns:
            if column in facts.source.get(table, ()) and column not in known:
                return f"{table}.{column}"
    return ""


def _find_unknown_columns(
    facts: Facts, where: str, table: str, columns: tuple[str, ...]
) -> Iterator[Finding]:
    known = facts.schema.tables[table].column_names
    for column in columns:
        if column not in known:
            message = f"The column {column} of {table} does not exist."
            yield _STEP.error("foreign_keys.unknown_column", where, message, suggest(column, known))


# What the data says


def _find_values(facts: Facts, relation: Relation) -> Iterator[Finding]:
    where = where_is(facts, relation)
    different = list(_find_types(facts, where, relation))
    yield from different
    if not different:
        yield from _find_unique(facts, where, relation)
        yield from _find_orphans(facts, where, relation)


def _find_types(facts: Facts, where: str, relation: Relation) -> Iterator[Finding]:
    child, parent = facts.schema.tables[relation.table], facts.schema.tables[relation.references_table]
    for column, target in zip(relation.columns, relation.references_columns, strict=True):
        left, right = child.column(column), parent.column(target)
        if not comparable(storage_type(left.storage), storage_type(right.storage)):
            yield _STEP.error(
                "foreign_keys.types_differ",
                where,
                f"{child.name}.{column} is {left.type} ({left.storage}), "
                f"{parent.name}.{target} is {right.type} ({right.storage}).",
                f"Give both the same type: {column_path(child.name, column, 'type')}: {right.type}.",
            )


def _find_unique(facts: Facts, where: str, relation: Relation) -> Iterator[Finding]:
    parent, columns = relation.references_table, relation.references_columns
    if columns == facts.schema.tables[parent].primary_key:
        return
    found = check_primary_key(facts.tables[parent], columns)
    if not found.is_key:
        yield _STEP.error(
            "foreign_keys.not_unique",
            where,
            f"{found.duplicates + found.nulls:,} rows of {parent} repeat or lack {list_names(columns)}, "
            "so a reference names no single row.",
            "Reference the primary key, or columns that are complete and unique.",
        )


def _orphan_rows(facts: Facts, relation: Relation) -> list[int]:
    """Number, from 1, the rows whose reference names no row."""
    mask = orphans(facts.tables[relation.table], relation, facts.tables[relation.references_table])
    return [int(row) + 1 for row in mask.nonzero()[0]]


def _find_orphans(facts: Facts, where: str, relation: Relation) -> Iterator[Finding]:
    rows = _orphan_rows(facts, relation)
    table, parent = relation.table, relation.references_table
    count = f"{len(rows):,} of {facts.rows(table):,} rows of {table} reference no row of {parent}"
    copied = facts.schema.tables[table].original
    if rows and (relation.orphans == "refuse" or copied):
        yield _STEP.error(
            "foreign_keys.orphans",
            where,
            f"{count}: {show_rows(rows)}.",
            "Repair the source, or remove the foreign key."
            if copied
            else 'Write orphans: "null" or orphans: drop in the foreign key, or repair the source.',
        )
    elif rows:
        done = "their references are made missing" if relation.orphans == "null" else "they are left out"
        yield _STEP.notice(
            "foreign_keys.orphans_resolved",
            where,
            f"{count}; {done}.",
            "Write orphans: refuse to stop instead.",
        )
