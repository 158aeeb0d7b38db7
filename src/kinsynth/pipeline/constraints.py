"""Constraints that a document declares, and what of them the model keeps by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from kinsynth.certificate.circle import count_circular
from kinsynth.errors import SchemaError
from kinsynth.schema.check import ORDERS, Check
from kinsynth.schema.check_text import read_check
from kinsynth.schema.database import Database
from kinsynth.schema.table import Relation, Schema, Table
from kinsynth.settings import tables as settings
from kinsynth.settings.treatment import CATEGORIES, ORDERED


def read_checks(said: settings.Table, known: Collection[str]) -> tuple[Check, ...]:
    """Give the declared conditions on columns that are there; the checks report the others."""
    found: list[Check] = []
    for text in said.checks:
        try:
            found += read_check(text)
        except SchemaError:
            continue
    return tuple(dict.fromkeys(check for check in found if set(check.columns) <= set(known)))


def read_unique_keys(said: settings.Table, known: Collection[str]) -> tuple[tuple[str, ...], ...]:
    """Give the declared unique keys of columns that are there, each once."""
    return tuple(dict.fromkeys(key for key in said.unique if key and set(key) <= set(known)))


def rules_of(checks: Iterable[Check]) -> tuple[settings.Rule, ...]:
    """Give the rules that keep conditions between two columns.

    >>> from kinsynth.schema.check_text import read_check
    >>> [(rule.kind, rule.columns) for rule in rules_of(read_check("leaves >= arrives"))]
    [('order', ('arrives', 'leaves'))]
    """
    rules = []
    for check in checks:
        if check.other is None or check.other == check.column:
            continue
        if check.operator in ORDERS:
            falling = check.operator in (">", ">=")
            pair = (check.other, check.column) if falling else (check.column, check.other)
            rules.append(settings.Rule(kind="order", columns=pair))
        elif check.operator == "=":
            rules.append(settings.Rule(kind="copy", columns=(check.column, check.other)))
    return tuple(dict.fromkeys(rules))


def keeps_alone(check: Check, table: Table, keys: Collection[str]) -> bool:
    """Tell whether a drawn column keeps a condition of its own that its source keeps.

    Numbers and dates stay between the source's, categories are the source's, and a column without missing
    values has none. Values of keys are made anew.
    """
    column = table.column(check.column)
    if check.operator == "null":
        return check.negated or column.name not in keys
    if check.other is not None or column.name in keys:
        return check.other == check.column
    return column.type in CATEGORIES or (column.type in ORDERED and check.operator in (*ORDERS, "="))


def state_circles(database: Database) -> Database:
    """Say in the schema of originals which references of a table to itself lead nowhere back."""
    relations = tuple(_stated(relation, database) for relation in database.schema.relations)
    return replace(database, schema=replace(database.schema, relations=relations))


def _stated(relation: Relation, database: Database) -> Relation:
    if relation.table != relation.references_table:
        return relation
    rows = database.tables[relation.table]
    keys, among = (
        [rows.column(name) for name in side] for side in (relation.columns, relation.references_columns)
    )
    return replace(relation, acyclic=count_circular(keys, among) == 0)


def without_given(schema: Schema, given: Mapping[str, Collection[str]]) -> Schema:
    """Leave out the checks and unique keys of columns whose cells the user gives: they come back as they are.

    Args:
        schema: What is declared.
        given: Names of columns by table.
    """
    tables = {
        name: replace(
            table,
            checks=tuple(one for one in table.checks if not {*one.columns} & {*given.get(name, ())}),
            unique_keys=tuple(key for key in table.unique_keys if not {*key} & {*given.get(name, ())}),
        )
        for name, table in schema.tables.items()
    }
    return replace(schema, tables=tables)
