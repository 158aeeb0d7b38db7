"""A database as read from CSV files: its relations, and for every row the place of the row it points to.

Nothing here knows the generator; schema.json says what is a key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

NULL = -1
ORPHAN = -2
JOINT = "\x1f"  # between the parts of a composite key; no key of a CSV file holds it
UNJUDGED = ("id", "text")


@dataclass(frozen=True)
class Relation:
    """A foreign key: columns of a table that name a row of another, or of the same."""

    table: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]

    @property
    def name(self) -> str:
        """How results name it."""
        return f"{self.table}.{'+'.join(self.columns)} -> {self.target}"

    @property
    def within(self) -> bool:
        """Whether it points into its own table."""
        return self.table == self.target


def relations_of(schema: Mapping[str, Any]) -> list[Relation]:
    """Read the foreign keys of schema.json in their order."""
    return [
        Relation(
            key["table"], tuple(key["columns"]), key["references_table"], tuple(key["references_columns"])
        )
        for key in schema["foreign_keys"]
    ]


def primary_key(schema: Mapping[str, Any], table: str) -> tuple[str, ...]:
    """Columns of the primary key, none where there is none."""
    key = schema["tables"][table]["primary_key"]
    return () if key is None else (key,) if isinstance(key, str) else tuple(key)


def join_key(table: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Give keys as texts R, None where a column is missing."""
    parts = [table[column].astype(object) for column in columns]
    missing = np.logical_or.reduce([part.isna().to_numpy() for part in parts])
    joined = parts[0].astype(str)
    for part in parts[1:]:
        joined = joined + JOINT + part.astype(str)
    return np.where(missing, None, joined.to_numpy(dtype=object))


def locate(child: np.ndarray, parent: np.ndarray) -> np.ndarray:
    """Give for each key of a child the place R of the first parent with it; NULL, or ORPHAN for none."""
    numbers, _ = pd.factorize(np.concatenate([parent, child]))
    ups, downs = numbers[: len(parent)], numbers[len(parent) :]
    first = np.full(len(numbers) + 1, ORPHAN, dtype=np.int64)
    first[ups[::-1]] = np.arange(len(parent))[::-1]
    first[-1] = NULL  # what factorize calls a missing key
    return first[downs]


@dataclass(frozen=True)
class Database:
    """Tables by name, typed as the judge types them, with the description in schema.json."""

    schema: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    places: dict[Relation, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        missing = sorted(set(self.schema["tables"]) - set(self.tables))
        if missing:
            raise ValueError(f"tables without a file: {', '.join(missing)}")

    @cached_property
    def relations(self) -> list[Relation]:
        """All foreign keys."""
        return relations_of(self.schema)

    @property
    def originals(self) -> tuple[str, ...]:
        """Tables that are to be copied."""
        return tuple(self.schema.get("originals", ()))

    def rows(self, table: str) -> int:
        """Count the rows of a table."""
        return len(self.tables[table])

    def judged(self, table: str) -> list[str]:
        """Columns with values to compare: neither keys nor free text."""
        kinds = self.schema["tables"][table]["columns"]
        keys = {
            column for relation in self.relations if relation.table == table for column in relation.columns
        }
        return [c for c, kind in kinds.items() if kind not in UNJUDGED and c not in keys]

    def pointed(self, relation: Relation) -> np.ndarray:
        """Give the place R of the row that each row points to, NULL or ORPHAN."""
        if relation not in self.places:
            self.places[relation] = locate(
                join_key(self.tables[relation.table], relation.columns),
                join_key(self.tables[relation.target], relation.target_columns),
            )
        return self.places[relation]

    def degrees(self, relation: Relation) -> np.ndarray:
        """Count the rows that point to each row of the target, R."""
        pointed = self.pointed(relation)
        return np.bincount(pointed[pointed >= 0], minlength=self.rows(relation.target))
