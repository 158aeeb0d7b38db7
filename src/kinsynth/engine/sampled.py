"""Sampled: drawn rows, as they are handed on.

Shape letters: R rows, C sub-columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from kinsynth.encoded import ChildCount, CodeArray, Encoded, EncodedTable, RowArray
from kinsynth.errors import InternalError
from kinsynth.system.randomness import uniforms

_POSITION_BITS = 24
_LEVEL_BITS = 33


@dataclass(frozen=True)
class SampledTable:
    """Drawn rows of one table.

    Attributes:
        encoded: The rows; ``parent_R`` counts rows of the parent table of the same block.
        root_R: Number of each row's root among all roots ever drawn from this model.
        row_ids: A number of each row, unique in its table, that depends on its root alone.
        pointed: For each further key the row of its target, -1 for none, shape (R,); it counts the rows of
            the target of all blocks, one block after the other.
        removed: Rows that were taken out, because a key that must not be missing found no row to point at.
        emptied: For each further key the rows in which it is missing though it was drawn, because it found
            no row to point at.
        lost: For each further key that must not be missing the removed rows that themselves found no row to
            point at by it; the others hang on removed rows, or must point at them.
    """

    encoded: EncodedTable
    root_R: RowArray
    row_ids: RowArray
    pointed: Mapping[str, RowArray] = field(default_factory=dict)
    removed: int = 0
    emptied: Mapping[str, int] = field(default_factory=dict)
    lost: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class SampledBlock:
    """Everything drawn under some consecutive roots, or under rows without owner that go with them.

    Attributes:
        root: Name of the root table.
        tables: The root table and all tables under it, parents first; tables of keys are left out.
        level: Level of the tables whose rows without owner it begins with; 0 for roots.
    """

    root: str
    tables: Mapping[str, SampledTable]
    level: int = 0

    @property
    def subjects(self) -> int:
        """Number of root rows, and of rows without owner."""
        tables = [table.encoded for table in self.tables.values()]
        return self.tables[self.root].encoded.rows + sum(table.alone for table in tables)


def in_order(blocks: Iterable[SampledBlock]) -> list[SampledBlock]:
    """Put rows without owner behind all others, as they stand in a table; else blocks stay as they came."""
    return sorted(blocks, key=lambda block: block.level)


def concatenate(blocks: Iterable[SampledBlock]) -> Encoded:
    """Join blocks to one set of tables; the rows have the order of the blocks ``in_order``."""
    parts: dict[str, list[EncodedTable]] = {}
    for block in in_order(blocks):
        for name, table in block.tables.items():
            parts.setdefault(name, []).append(table.encoded)
    return Encoded({name: _join(tables, parts) for name, tables in parts.items()})


def concatenate_pointed(blocks: Iterable[SampledBlock]) -> dict[str, dict[str, RowArray]]:
    """Join what the rows of blocks point at: by table and further key, in the order of ``concatenate``."""
    parts: dict[str, dict[str, list[RowArray]]] = {}
    for block in in_order(blocks):
        for name, table in block.tables.items():
            for key, row_R in table.pointed.items():
                parts.setdefault(name, {}).setdefault(key, []).append(row_R)
    return {name: {key: np.concatenate(rows) for key, rows in keys.items()} for name, keys in parts.items()}


def _join(tables: list[EncodedTable], parts: Mapping[str, list[EncodedTable]]) -> EncodedTable:
    codes_RC = np.concatenate([table.codes_RC for table in tables])
    parent = tables[0].parent
    if parent is None:
        return replace(tables[0], codes_RC=codes_RC)
    ahead = np.cumsum([0, *(table.rows for table in parts[parent])])
    parent_R = [
        table.parent_R[: table.owned] + start
        for table, start in zip(tables, ahead, strict=False)
        if table.parent_R is not None
    ]
    alone = sum(table.alone for table in tables)
    parent_R.append(np.arange(ahead[-1], ahead[-1] + alone, dtype=np.int64))
    return replace(tables[0], codes_RC=codes_RC, parent_R=np.concatenate(parent_R), alone=alone)


def draw_counts(
    codes_RC: CodeArray, row_ids: RowArray, count: ChildCount, *, seed: int, stream: str
) -> RowArray:
    """Draw a count of each row from the range its code stands for, shape (R,)."""
    code_R = codes_RC[:, count.sub_column]
    low_R, high_R = count.low_K[code_R], count.high_K[code_R]
    uniform_R = uniforms(seed, stream, row_ids)[:, 0]
    return low_R + (uniform_R * (high_R - low_R + 1)).astype(np.int64)


def number_alone(level: int, first: int, end: int) -> RowArray:
    """Number what stands for the root of rows without owner at a level, from one to another; no root has one.

    Raises:
        InternalError: There are 2**33 of them or more, or 64 levels.
    """
    if end > 1 << _LEVEL_BITS or level >= 1 << 63 - _POSITION_BITS - _LEVEL_BITS:
        raise InternalError(
            "engine.rows_alone", f"{end} rows at level {level} have no owner.", where="rows without owner"
        )
    return (level << _LEVEL_BITS) + np.arange(first, end, dtype=np.int64)


def number_rows(root_R: RowArray, *, table: str) -> RowArray:
    """Number each row by its root and its place under that root.

    Raises:
        InternalError: A root has 2**24 rows or more in one table.
    """
    place_R = np.arange(len(root_R)) - np.searchsorted(root_R, root_R)
    if len(place_R) and place_R.max() >= 1 << _POSITION_BITS:
        raise InternalError("engine.rows_per_root", f"A root has {place_R.max() + 1} rows.", where=table)
    return (root_R << _POSITION_BITS) | place_R
