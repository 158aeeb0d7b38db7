"""Columns that are named like keys and reference nothing, though their values are keys of some table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from kinsynth.schema.names import unprefixed, words
from kinsynth.schema.profile import Profile, profile_columns
from kinsynth.schema.table import Relation

_INCLUSION = 0.98
_COVERAGE = 0.1
_FEWEST = 10  # below so many distinct keys, small numbers occur in any table


@dataclass(frozen=True)
class Unlinked:
    """A column that may be a foreign key, by its name and values, but not by the name of what it references.

    Attributes:
        table: The table.
        column: The column.
        targets: Tables whose keys hold nearly all of its values, the one with the fewest other keys first.
    """

    table: str
    column: str
    targets: tuple[str, ...]


def find_unlinked(
    tables: Mapping[str, pa.Table],
    primary_keys: Mapping[str, Sequence[str]],
    relations: Collection[Relation],
) -> Iterator[Unlinked]:
    """Find columns with the name of an identifier that take no part in a key.

    Args:
        tables: Typed tables by name.
        primary_keys: Key columns by table; empty for none.
        relations: What is known to be referenced.
    """
    linked = {(one.table, column) for one in relations for column in one.columns}
    linked |= {(name, column) for name, key in primary_keys.items() for column in key}
    unlinked = {
        name: [column for column in _named_so(name, table.column_names) if (name, column) not in linked]
        for name, table in tables.items()
    }
    if not any(unlinked.values()):
        return
    targets = [
        target
        for name, key in primary_keys.items()
        if len(key) == 1
        for target in profile_columns(name, tables[name].select(key)).values()
    ]
    for name, columns in unlinked.items():
        for column in profile_columns(name, tables[name].select(columns)).values():
            if column.family != "none" and (found := _targets(column, targets)):
                yield Unlinked(name, column.name, found)


def _named_so(table: str, columns: Sequence[str]) -> Iterator[str]:
    """Give the columns that are named like a key, and not like one of their own table."""
    for column, label in unprefixed(columns).items():
        named = words(label)
        if named.is_strong_identifier and named.subject not in ((), words(table).parts):
            yield column


def _targets(column: Profile, targets: Sequence[Profile]) -> tuple[str, ...]:
    """Give the other tables whose keys hold the column's values, those first of which most keys occur.

    Rows of the same table are referenced under a name that says so: numbers from 1 on meet by chance.
    """
    if len(column.distinct) < _FEWEST:
        return ()
    scored = [(_coverage(column, target), target.table) for target in targets if target.table != column.table]
    return tuple(name for share, name in sorted(scored, key=lambda one: -one[0]) if share >= _COVERAGE)


def _coverage(column: Profile, target: Profile) -> float:
    """Give the share of a table's keys that occur in a column; 0 where the column has many other values."""
    if column.dtype != target.dtype:
        return 0.0
    held = float(column.distinct.is_in(target.distinct.implode()).to_numpy().mean())
    return held * len(column.distinct) / target.rows if held >= _INCLUSION else 0.0
