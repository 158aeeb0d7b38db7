"""Subjects: root rows with all under them, and which of them lead to which others by further keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinsynth.schema.database import Database
from kinsynth.schema.graph import Structure
from kinsynth.schema.keys import row_numbers

RowNumbers = NDArray[np.int64]


def root_rows(database: Database, structure: Structure) -> dict[str, RowNumbers]:
    """Give the number of the root row to which each row of each synthesised table belongs.

    A row whose owner does not exist belongs to nobody: it gets a number of its own, above the rows of its
    root table, and its descendants share it. So it counts as one more subject.

    Returns:
        Numbers by table, shape (rows,); equal numbers of tables with one root table mean the same subject.
    """
    numbers: dict[str, RowNumbers] = {}
    used: dict[str, int] = {}
    for name in structure.order:
        table, relation = database.tables[name], structure.parent_relation[name]
        if relation is None:
            numbers[name] = np.arange(table.num_rows, dtype=np.int64)
            used[name] = table.num_rows
            continue
        parent = relation.references_table
        row = row_numbers(table, relation, database.tables[parent])
        found = np.append(numbers[parent], -1)[row]
        alone = np.flatnonzero(found < 0)
        root = structure.root_of(name)
        found[alone] = used[root] + np.arange(len(alone), dtype=np.int64)
        used[root] += len(alone)
        numbers[name] = found
    return numbers


@dataclass(frozen=True)
class Subjects:
    """The subjects of all root tables, numbered through, and where further keys lead.

    Attributes:
        spans: First subject and the one after the last by root table.
        of: The subject of each row by synthesised table, shape (rows,).
        start_S1: Where the subjects that each one leads to begin in ``ahead_E``, shape (S + 1,).
        ahead_E: Subjects that others lead to by further keys, none to itself, shape (E,).
    """

    spans: Mapping[str, tuple[int, int]]
    of: Mapping[str, RowNumbers]
    start_S1: RowNumbers
    ahead_E: RowNumbers

    @property
    def count(self) -> int:
        """Number of subjects S."""
        return len(self.start_S1) - 1

    def pointed(self) -> NDArray[np.bool_]:
        """Mark the subjects to which another one leads, shape (S,)."""
        marked_S = np.zeros(self.count, dtype=bool)
        marked_S[self.ahead_E] = True
        return marked_S

    def closed(self, first_S: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Mark some subjects and all to which they lead over any number of keys, shape (S,)."""
        marked_S, frontier = first_S.copy(), np.flatnonzero(first_S)
        while len(frontier):
            ahead = self.ahead_E[_ranges(self.start_S1[frontier], self.start_S1[frontier + 1])]
            frontier = np.unique(ahead[~marked_S[ahead]])
            marked_S[frontier] = True
        return marked_S


def _ranges(start_N: RowNumbers, stop_N: RowNumbers) -> RowNumbers:
    """Give the numbers of several ranges one after the other."""
    length_N = stop_N - start_N
    before_N = np.cumsum(length_N) - length_N
    range_E: RowNumbers = np.arange(int(length_N.sum()), dtype=np.int64)
    return range_E + np.repeat(start_N - before_N, length_N).astype(np.int64)


def find_subjects(database: Database, structure: Structure) -> Subjects:
    """Find the subjects of a database and which lead to which."""
    numbers = root_rows(database, structure)
    spans: dict[str, tuple[int, int]] = {}
    stop = 0
    for root in structure.roots:
        tops = [
            int(rows.max()) + 1
            for name, rows in numbers.items()
            if structure.root_of(name) == root and len(rows)
        ]
        spans[root] = (stop, stop + max(tops, default=0))
        stop = spans[root][1]
    of = {name: rows + spans[structure.root_of(name)][0] for name, rows in numbers.items()}
    from_E, to_E = _edges(database, structure, of)
    return Subjects(spans, of, np.searchsorted(from_E, np.arange(stop + 1)), to_E)


def _edges(
    database: Database, structure: Structure, of: Mapping[str, RowNumbers]
) -> tuple[RowNumbers, RowNumbers]:
    """Give pairs of different subjects of which the first leads to the second, in ascending order."""
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for name in structure.order:
        for one in structure.further(name):
            row = row_numbers(database.tables[name], one, database.tables[one.references_table])
            here = np.flatnonzero(row >= 0)
            found = np.stack([of[name][here], of[one.references_table][row[here]]], axis=1)
            pairs.append(np.unique(found[found[:, 0] != found[:, 1]], axis=0))
    from_E, to_E = np.unique(np.concatenate(pairs), axis=0).T
    return from_E, to_E
