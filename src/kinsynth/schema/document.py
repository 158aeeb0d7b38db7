"""A schema as plain data, for JSON files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from kinsynth.schema.check import Check
from kinsynth.schema.table import Column, Relation, Schema, Table, TextFormat


def write_schema(schema: Schema) -> dict[str, Any]:
    """Turn a schema into plain data."""
    return {
        "tables": [asdict(table) for table in schema.tables.values()],
        "relations": [asdict(relation) for relation in schema.relations],
    }


def read_schema(document: Mapping[str, Any]) -> Schema:
    """Turn plain data back into a schema; the inverse of ``write_schema``."""
    tables = [_read_table(table) for table in document["tables"]]
    return Schema(
        tables={table.name: table for table in tables},
        relations=tuple(read_relation(relation) for relation in document["relations"]),
    )


def _read_table(document: Mapping[str, Any]) -> Table:
    columns = tuple(_read_column(column) for column in document["columns"])
    return Table(
        name=document["name"],
        columns=columns,
        primary_key=tuple(document["primary_key"]),
        original=document["original"],
        order_by=document["order_by"],
        unique_keys=tuple(tuple(key) for key in document.get("unique_keys", ())),
        checks=tuple(_read_check(check) for check in document.get("checks", ())),
    )


def _read_column(document: Mapping[str, Any]) -> Column:
    text = document["text"]
    return Column(**{**document, "text": None if text is None else TextFormat(**text)})


def _read_check(document: Mapping[str, Any]) -> Check:
    return Check(**{**document, "constants": tuple(document["constants"])})


def read_relation(document: Mapping[str, Any]) -> Relation:
    """Turn plain data back into a relation."""
    pairs = {name: tuple(document[name]) for name in ("columns", "references_columns")}
    return Relation(**{**document, **pairs})
