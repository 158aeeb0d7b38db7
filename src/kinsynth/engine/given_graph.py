"""Given graph: which rows there are and which they hang under and point at, given instead of drawn. No torch.

Shape letters: R rows, P parents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kinsynth.encoded import Pointer, RowArray
from kinsynth.engine.pointing import find_ends, find_groups, tell_tokens
from kinsynth.engine.store import Store


@dataclass(frozen=True)
class GivenGraph:
    """The rows of all tables and what they hang under and point at, without anything that they say.

    Attributes:
        roots: Number of rows of each root table.
        parent_R: For each other table the row of the parent of each row, never decreasing, shape (R,); rows
            without owner stand last, each with a number of its own behind the rows of the parent.
        pointed: For each table and each of its further keys, by its name, the row of the target of each row,
            -1 for none, shape (R,).
    """

    roots: Mapping[str, int]
    parent_R: Mapping[str, RowArray]
    pointed: Mapping[str, Mapping[str, RowArray]]

    def rows(self, table: str) -> int:
        """Give the number of rows of a table."""
        return self.roots[table] if table in self.roots else len(self.parent_R[table])

    def find_roots(self, table: str, parents: Mapping[str, str | None]) -> RowArray:
        """Give the root of each row of a table, shape (R,).

        Args:
            table: Name of the table.
            parents: Name of the parent of each table, None for a root table.
        """
        parent = parents[table]
        if parent is None:
            return np.arange(self.rows(table), dtype=np.int64)
        root_R, alone = self.find_roots(parent, parents), self.alone(table, parent)
        first = max(root_R.max(initial=-1) + 1, 0)
        above = np.append(root_R, np.arange(first, first + alone))
        found_R: RowArray = above[self.parent_R[table]]
        return found_R

    def alone(self, table: str, parent: str) -> int:
        """Count the rows of a table without owner."""
        return int((self.parent_R[table] >= self.rows(parent)).sum())


def lay_given(store: Store, name: str, graph: GivenGraph, *, block: int) -> None:
    """Give a table, or the table of which a table of keys has the rows, its rows."""
    table = store.owner(name)
    parent = store.layouts[name].parent
    if parent is None:
        store.lay_roots(table, graph.rows(table), block)
    else:
        parents = store.frame(parent).rows
        parent_R = graph.parent_R[table]
        count_P = np.bincount(parent_R[parent_R < parents], minlength=parents).astype(np.int64)
        store.lay_children(table, count_P)
        if store.frame(table).rows != len(parent_R):
            raise ValueError(f"{table}: the graph has other rows without owner than were learned")


def point_given(store: Store, name: str, graph: GivenGraph) -> None:
    """Let rows point at what is given by the keys of a table of keys, and fill in what its rows say.

    Other tables look at them, so they tell the groups of the rows pointed at, which must be drawn.
    """
    table, pointers = store.owner(name), store.layouts[name].pointers
    for pointer in pointers:
        row_R = graph.pointed[table][pointer.key]
        store.point(table, row_R, np.zeros(len(row_R), dtype=np.bool_))
    store.open(name)
    for number, pointer in enumerate(pointers):
        row_R = graph.pointed[table][pointer.key]
        store.tables[name].codes_RC[:, number] = _tokens(store, table, pointer, row_R)


def _tokens(store: Store, table: str, pointer: Pointer, row_R: RowArray) -> RowArray:
    """Give the code that stands for the row pointed at, shape (R,)."""
    group_T, ends = find_groups(store, pointer), None
    if pointer.agreement is not None:
        own, other = pointer.agreement
        ends = find_ends(store, table, own), find_ends(store, pointer.target, other)
    return tell_tokens(pointer, table, row_R, group_T, ends)
