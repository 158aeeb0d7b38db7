"""Database: a schema with its tables as Arrow, all original or all synthetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from kinsynth.schema.table import Schema


@dataclass(frozen=True)
class Database:
    """Tables that fit their schema.

    Attributes:
        schema: What the tables look like.
        tables: Arrow table by name: the schema's columns, in its order, in its storage types.
        origin: Where the rows come from. A destination refuses ``original``.

    Guarantees:
        Every table of the schema is there with exactly its columns and storage types.
    """

    schema: Schema
    tables: Mapping[str, pa.Table]
    origin: Literal["original", "synthetic"]

    def __post_init__(self) -> None:
        """Check that the tables fit the schema."""
        if set(self.tables) != set(self.schema.tables):
            raise ValueError(f"tables {sorted(self.tables)}: expected {sorted(self.schema.tables)}")
        for name, table in self.tables.items():
            declared = self.schema.tables[name].columns
            if tuple(table.column_names) != tuple(column.name for column in declared):
                raise ValueError(f"{name}: columns differ from the schema")
            for column in declared:
                if str(table.schema.field(column.name).type) != column.storage:
                    found = table.schema.field(column.name).type
                    raise ValueError(f"{name}.{column.name}: stored as {found}, expected {column.storage}")
