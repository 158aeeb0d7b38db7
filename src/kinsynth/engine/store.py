"""Store: the rows of all tables while they are drawn table by table. No torch.

Which rows a table has is known before what they say: the counts of its parent tell. So every block of roots
fills its own rows of arrays that are there already, in any order.
Shape letters: R rows, C sub-columns, B blocks of roots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinsynth.encoded import OWNER, CodeArray, EncodedTable, Link, Path, RowArray, code_type, mark_alone
from kinsynth.engine.layout import TableLayout, find_levels
from kinsynth.engine.passes import Keys, further_keys, is_late
from kinsynth.engine.prune import Flags, Tie, spread_dead
from kinsynth.engine.sampled import number_alone, number_rows

Allocate = Callable[[tuple[int, ...], np.dtype[Any]], NDArray[Any]]


@dataclass(frozen=True)
class Frame:
    """Which rows a table has.

    Attributes:
        parent: Name of the parent table, or None for a root table.
        parent_R: Row of the parent for each row, shape (R,), or None for a root table.
        begin_B: First row of each block, and the end, shape (B + 1,).
        alone: Number of rows without owner: the last ones.
    """

    parent: str | None
    parent_R: RowArray | None
    begin_B: RowArray
    alone: int = 0

    @property
    def rows(self) -> int:
        """Number of rows R."""
        return int(self.begin_B[-1])

    @property
    def blocks(self) -> int:
        """Number of blocks B, at least 1."""
        return len(self.begin_B) - 1

    def block(self, number: int) -> slice:
        """Give the rows of a block."""
        return slice(int(self.begin_B[number]), int(self.begin_B[number + 1]))

    @property
    def owned(self) -> int:
        """Number of rows that have an owner, for a child table: the first ones."""
        return self.rows - self.alone

    @cached_property
    def owner_rows(self) -> RowArray:
        """Row of each row's owner, -1 for none, shape (R,); for a child table."""
        assert self.parent_R is not None, "a child table"
        return mark_alone(self.parent_R, self.alone)


class Store:
    """The rows of all tables drawn so far.

    Args:
        layouts: Layout of each table, in the order they are drawn.
        allocate: Makes arrays of zeros; another one may map files.

    Attributes:
        tables: Rows of each table, tables of keys too; of one that is being drawn some are still zeros.
    """

    def __init__(self, layouts: Mapping[str, TableLayout], allocate: Allocate = np.zeros) -> None:
        self.layouts, self._allocate = layouts, allocate
        self.tables: dict[str, EncodedTable] = {}
        self._frames: dict[str, Frame] = {}
        self._keys = {
            name: further_keys(layouts, name) for name, layout in layouts.items() if layout.keys_of is None
        }
        self._pointed: dict[str, list[RowArray]] = {name: [] for name in self._keys}
        self._unresolved: dict[str, list[Flags]] = {name: [] for name in self._keys}
        self._dead: dict[str, Flags] = {}

    def owner(self, name: str) -> str:
        """Give the table that a table of keys belongs to; for any other table itself."""
        return self.layouts[name].keys_of or name

    def has_rows(self, name: str) -> bool:
        """Whether it is known which rows a table has."""
        return self.owner(name) in self._frames

    def frame(self, name: str) -> Frame:
        """Give which rows a table has."""
        return self._frames[self.owner(name)]

    def lay_roots(self, name: str, rows: int, block: int) -> None:
        """Give a root table its rows; no row at all is a block as well.

        As many blocks without a root row follow for each level at which rows without owner stand.
        """
        begin_B = np.append(np.arange(0, max(rows, 1), block, dtype=np.int64), rows)
        more = len(find_levels(self.layouts, name)) * (len(begin_B) - 1)
        self._lay(name, Frame(None, None, np.append(begin_B, np.full(more, rows, dtype=np.int64))))

    def lay_children(self, name: str, count_P: RowArray) -> None:
        """Give a child table as many rows under each parent row as counted, and its rows without owner."""
        layout = self.layouts[name]
        assert layout.parent is not None
        end_P = np.append(0, np.cumsum(count_P))
        alone_B = self._count_alone(layout)
        alone, owned = int(alone_B[-1]), int(end_P[-1])
        parent_R = self._allocate((owned + alone,), np.dtype(np.int64))
        parent_R[:owned] = np.repeat(np.arange(len(count_P), dtype=np.int64), count_P)
        parent_R[owned:] = np.arange(len(count_P), len(count_P) + alone)
        begin_B = end_P[self.frame(layout.parent).begin_B] + alone_B
        self._lay(name, Frame(layout.parent, parent_R, begin_B, alone))

    def _count_alone(self, layout: TableLayout) -> RowArray:
        """Count the rows without owner before each block, and in all, shape (B + 1,)."""
        begin_B, levels = self.frame(layout.root).begin_B, find_levels(self.layouts, layout.root)
        count_B = np.zeros(len(begin_B), dtype=np.int64)
        if layout.alone is not None:
            blocks = (len(begin_B) - 1) // (1 + len(levels))
            first = blocks * (1 + levels.index(layout.level))
            upto = [layout.alone.up_to(roots) for roots in begin_B[: blocks + 1].tolist()]
            count_B[first : first + blocks + 1] = upto
            count_B[first + blocks + 1 :] = upto[-1]
        return count_B

    def _lay(self, name: str, frame: Frame) -> None:
        owner = self.owner(name)
        self._frames[owner] = frame
        if frame.parent is None or frame.parent_R is None:
            self._dead[owner] = np.zeros(frame.rows, dtype=np.bool_)
        else:
            self._dead[owner] = np.append(self._dead[frame.parent], False)[frame.owner_rows]

    def open(self, name: str) -> None:
        """Make the rows of a table, to be filled block by block."""
        layout, frame = self.layouts[name], self.frame(name)
        kind = code_type(sub.cardinality for sub in layout.sub_columns)
        self.tables[name] = EncodedTable(
            self._allocate((frame.rows, len(layout.sub_columns)), kind),
            layout.sub_columns,
            layout.parent,
            frame.parent_R,
            layout.counts,
            layout.ordered,
            self._links(name),
            layout.keys_of,
            layout.pointers,
            alone=frame.alone,
        )

    def _links(self, name: str) -> tuple[Link, ...]:
        layout = self.layouts[name]
        if layout.keys_of is not None and is_late(layout):
            return (Link(layout.keys_of, np.arange(self.frame(name).rows, dtype=np.int64)),)
        return tuple(
            Link(target, row_R)
            for target, row_R in zip(layout.links, self._pointed[name] if layout.links else (), strict=True)
        )

    def fill(self, name: str, block: int, codes_RC: CodeArray) -> None:
        """Put the codes of the rows of a block."""
        self.tables[name].codes_RC[self.frame(name).block(block)] = codes_RC

    def roots(self, name: str, block: int) -> RowArray:
        """Give the number of the root of each row of a block, shape (R,)."""
        frame = self.frame(name)
        rows = frame.block(block)
        if frame.parent is None or frame.parent_R is None:
            return np.arange(rows.start, rows.stop, dtype=np.int64)
        if rows.start < rows.stop and rows.start >= frame.owned:
            level = self.layouts[name].level
            return number_alone(level, rows.start - frame.owned, rows.stop - frame.owned)
        first = self.frame(frame.parent).block(block).start
        root_R: RowArray = self.roots(frame.parent, block)[frame.parent_R[rows] - first]
        return root_R

    def row_ids(self, name: str, block: int) -> RowArray:
        """Give what the randomness of each row of a block hangs on, shape (R,)."""
        return number_rows(self.roots(name, block), table=name)

    def all_row_ids(self, name: str) -> RowArray:
        """Give what the randomness of each row hangs on, shape (R,)."""
        return np.concatenate([self.row_ids(name, block) for block in range(self.frame(name).blocks)])

    def follow(self, table: str, path: Path) -> RowArray:
        """Give the row that a path leads to from each row of a table, -1 for none, shape (R,)."""
        row_R = np.arange(self.frame(table).rows, dtype=np.int64)
        for step in path:
            table, next_R = self._step(table, step)
            known_R = row_R >= 0
            row_R[known_R] = next_R[row_R[known_R]]
        return row_R

    def end_of(self, table: str, path: Path) -> str:
        """Name the table that a path from a table leads to."""
        for step in path:
            table = self._step(table, step)[0]
        return table

    def _step(self, table: str, step: int) -> tuple[str, RowArray]:
        if step == OWNER:
            frame = self.frame(table)
            assert frame.parent is not None
            return frame.parent, frame.owner_rows
        return self._keys[table][step].pointer.target, self._pointed[table][step]

    def keys(self, table: str) -> tuple[tuple[Keys, RowArray, Flags], ...]:
        """Give the further keys of a table that are assigned.

        Returns:
            Each with what the rows point to, -1 for none, and whether the key was drawn but found no row to
            point at; both of shape (R,).
        """
        return tuple(zip(self._keys[table], self._pointed[table], self._unresolved[table], strict=False))

    def dead(self, table: str) -> Flags:
        """Tell which rows of a table are to be taken out, shape (R,)."""
        return self._dead[self.owner(table)]

    def dead_of(self, table: str, block: int) -> Flags:
        """Tell which rows of a block of a table are to be taken out, shape (R,)."""
        return self.dead(table)[self.frame(table).block(block)]

    def point(self, table: str, row_R: RowArray, unresolved_R: Flags) -> None:
        """Keep what the rows of a table point to by its next further key.

        Args:
            table: Name of the table.
            row_R: Row of the target, -1 for none, shape (R,).
            unresolved_R: Rows that should point at one but found none; they must go, unless the key may be
                missing. Shape (R,).
        """
        number = len(self._pointed[table])
        kept_R = self._allocate(row_R.shape, np.dtype(np.int64))
        kept_R[:] = row_R
        self._pointed[table].append(kept_R)
        nullable = self._keys[table][number].pointer.nullable
        self._unresolved[table].append(unresolved_R)
        if not nullable:
            self._dead[table] = self._dead[table] | unresolved_R
        self._dead = spread_dead(self._dead, self._ties())

    def _ties(self) -> Iterable[Tie]:
        for name, frame in self._frames.items():
            if frame.parent is not None:
                yield Tie(name, frame.parent, frame.owner_rows)
            for each, row_R, _ in self.keys(name):
                if not each.pointer.nullable:
                    yield Tie(name, each.pointer.target, row_R)
