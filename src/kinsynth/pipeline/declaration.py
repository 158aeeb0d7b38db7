"""Declaration: a synthesis document that says outright what was only detected before."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from kinsynth.rules.base import Rule
from kinsynth.schema.table import Column, Relation, Schema, Table
from kinsynth.settings import tables as settings
from kinsynth.settings.synthesis import Synthesis
from kinsynth.settings.treatment import DATES
from kinsynth.settings.treatment import Column as ColumnSettings


def declare(
    schema: Schema,
    synthesis: Synthesis,
    rules: Mapping[str, Sequence[Rule]] | None = None,
    personal: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> Synthesis:
    """Write types, keys, relations, orders and rules into a document, where it left them to detection.

    Args:
        schema: What was found in the source under this document.
        synthesis: The document.
        rules: Rules that were found, by table; None leaves them to detection.
        personal: Columns that seem to be about a person, by table: they are marked as sensitive.

    Returns:
        The document with every table and column of the schema in it. Columns of keys are named by
        their keys, and have no type of their own. Tables and columns that it excludes are kept as it
        names them.

    Guarantees:
        Declaring twice is declaring once. What the document said already stays.
    """
    declared = {
        name: _declare_rules(
            _declare_table(
                schema,
                table,
                synthesis.tables.get(name, settings.Table()),
                personal.get(name, ()),
            ),
            None if rules is None else rules.get(name, ()),
        )
        for name, table in schema.tables.items()
    }
    return synthesis.model_copy(update={"tables": {**synthesis.tables, **declared}})


def _declare_table(
    schema: Schema, table: Table, said: settings.Table, personal: Collection[str]
) -> settings.Table:
    linked = {*table.primary_key, *schema.foreign_columns(table.name)}
    columns = {}
    for column in table.columns:
        before = said.columns.get(column.name, ColumnSettings())
        now = before if column.name in linked else _declare_column(column, before)
        if column.name in personal and "sensitive" not in before.model_fields_set:
            now = now.model_copy(update={"sensitive": True})
        if column.name not in linked or now is not before:
            columns[column.name] = now
    foreign_keys = tuple(_declare_relation(relation) for relation in schema.outgoing(table.name))
    return said.model_copy(
        update={
            "primary_key": table.primary_key if said.primary_key is None else said.primary_key,
            "foreign_keys": foreign_keys if said.foreign_keys is None else said.foreign_keys,
            "order_by": (table.order_by or "") if said.order_by is None else said.order_by,
            "columns": {**said.columns, **columns},
        }
    )


def _declare_rules(said: settings.Table, found: Sequence[Rule] | None) -> settings.Table:
    if said.rules is not None or found is None:
        return said
    declared = tuple(
        settings.Rule.model_validate({"kind": rule.kind, "columns": rule.columns}) for rule in found
    )
    return said.model_copy(update={"rules": declared})


def _declare_column(column: Column, said: ColumnSettings) -> ColumnSettings:
    pattern = column.text.pattern if column.text is not None and column.type in DATES else None
    found = {"type": column.type, "format": pattern, "pair": column.pair}
    return said.model_copy(update={name: getattr(said, name) or value for name, value in found.items()})


def _declare_relation(relation: Relation) -> settings.ForeignKey:
    return settings.ForeignKey.model_validate(
        {
            "columns": relation.columns,
            "table": relation.references_table,
            "references": relation.references_columns,
            "orphans": relation.orphans,
        }
    )
