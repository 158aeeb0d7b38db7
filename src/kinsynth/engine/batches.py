"""Batches: which rows are trained together, and what each of them may know.

A root table is cut by rows; a child table by stretches of whole sequences, so that history is at hand.
Shape letters: U units, B batch rows, P parents, R rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from kinsynth.encoded import Encoded, RowArray
from kinsynth.engine.context import History, Relatives
from kinsynth.engine.layout import TableLayout, lineage
from kinsynth.engine.sizing import TablePlan
from kinsynth.engine.tabular import Batch
from kinsynth.system.mapping import let_go

_LET_GO_AFTER = 8  # batches: rows chosen by chance touch nearly every page of a mapped file


@dataclass(frozen=True)
class Units:
    """Stretches of rows that stay together; numbers as small as the table allows, for it may have millions.

    Attributes:
        start_U: First row of each.
        end_U: Row after the last of each.
        offset_U: Place of the first row in its sequence.
    """

    start_U: RowArray
    end_U: RowArray
    offset_U: RowArray

    @cached_property
    def rows(self) -> int:
        """Number of rows in all units; counted once, for a step asks twice and a table may have millions."""
        return int((self.end_U - self.start_U).sum())

    def row_numbers(self) -> RowArray:
        """Give the numbers of all rows."""
        return expand_ranges(self.start_U, self.end_U)

    def some_rows(self, most: int) -> RowArray:
        """Give the numbers of all rows, or of those of about as many evenly spread units as hold ``most``."""
        every = max(1, -(-self.rows // most))
        return self.take(np.arange(0, len(self.start_U), every)).row_numbers()

    def take(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> Units:
        """Give some of the units."""
        return Units(self.start_U[chosen], self.end_U[chosen], self.offset_U[chosen])


@dataclass(frozen=True)
class Split:
    """Units to learn from and units to judge by; never of one root."""

    train: Units
    validation: Units


def expand_ranges(start_U: RowArray, end_U: RowArray) -> RowArray:
    """Give all numbers of some ranges, one range after the other.

    >>> expand_ranges(np.array([3, 0]), np.array([5, 1]))
    array([3, 4, 0])
    """
    length_U = end_U - start_U
    before_U = np.cumsum(length_U) - length_U
    rows: RowArray = np.arange(int(length_U.sum()), dtype=np.int64) + np.repeat(start_U - before_U, length_U)
    return rows


def cut_units(parent_R: RowArray | None, rows: int, *, window: int) -> Units:
    """Cut a table into units: single rows of a root, stretches of up to ``window`` rows of a sequence."""
    row_R = np.arange(rows, dtype=row_type(rows))
    if parent_R is None:
        return Units(row_R, row_R + 1, np.zeros(rows, dtype=np.uint8))
    offset_R = row_R - first_places(parent_R)
    start_U = row_R[offset_R % window == 0]
    end_U = np.append(start_U[1:], row_R.dtype.type(rows))
    return Units(start_U, end_U, offset_R[start_U])


def row_type(rows: int) -> type[np.signedinteger[Any]]:
    """Give the smallest type that holds the numbers of so many rows."""
    return np.int32 if rows < 2**31 - 1 else np.int64


def first_places(parent_R: RowArray, side: Literal["left", "right"] = "left") -> RowArray:
    """Give the number of the first row with each row's parent, or of the first after them."""
    kind = row_type(len(parent_R))
    starts = np.flatnonzero(np.diff(parent_R, prepend=-1)).astype(kind)
    ends = np.append(starts[1:], kind(len(parent_R)))[: len(starts)]
    found: RowArray = np.repeat(starts if side == "left" else ends, ends - starts)
    return found


def split_units(encoded: Encoded, table: str, plan: TablePlan, *, seed: int) -> Split:
    """Split a table's units by root; all tables under one root table split the same roots off."""
    source = encoded.tables[table]
    units = cut_units(source.parent_R, source.rows, window=plan.window)
    root_R = encoded.root_rows(table)
    held_U = _held_roots(encoded, table, plan, seed)[root_R[units.start_U]]
    validation = _limit(units.take(held_U), plan.validation_rows, seed)
    return Split(train=units.take(~held_U), validation=validation)


def _held_roots(encoded: Encoded, table: str, plan: TablePlan, seed: int) -> NDArray[np.bool_]:
    """Mark the roots that are split off: of the root table's rows, and of the rows without owner by level."""
    chain = (table, *lineage(encoded, table))[::-1]
    counts = [encoded.tables[chain[0]].rows, *(encoded.tables[name].alone for name in chain[1:])]
    return np.concatenate([_held_part(count, [seed, 1, level], plan) for level, count in enumerate(counts)])


def _held_part(roots: int, seed: list[int], plan: TablePlan) -> NDArray[np.bool_]:
    order = np.random.default_rng(seed).permutation(roots)
    held = np.zeros(roots, dtype=np.bool_)
    held[order[: int(roots * plan.validation_fraction)]] = True
    return held


def _limit(units: Units, rows: int, seed: int) -> Units:
    if units.rows <= rows:
        return units
    order = np.random.default_rng([seed, 2]).permutation(len(units.start_U))
    fits = np.cumsum((units.end_U - units.start_U)[order]) <= rows
    return units.take(np.sort(order[fits]))


@dataclass(frozen=True)
class _Walk:
    """Units in some order, cut into batches."""

    order_U: NDArray[np.int64]
    batch_U: NDArray[np.int64]
    key: tuple[int, int] = (0, 0)


class Batches:
    """Batches of some units of a table.

    Args:
        encoded: All tables.
        layout: The table and its relatives.
        plan: Batch size, window and set limit.
        units: The rows to go through.
    """

    def __init__(self, encoded: Encoded, layout: TableLayout, plan: TablePlan, units: Units) -> None:
        self._table = encoded.tables[layout.name]
        self._units, self._plan = units, plan
        self._relatives = Relatives(layout, encoded.tables, set_limit=plan.set_limit, links=self._table.links)
        self._index_R, self._remaining_R = sequence_places(self._table.parent_R)
        self._epoch: _Walk | None = None
        self._given = 0

    @property
    def rows(self) -> int:
        """Number of rows in all batches."""
        return self._units.rows

    @property
    def per_epoch(self) -> int:
        """Number of batches that hold all rows once."""
        return max(1, -(-self._units.rows // self._plan.batch_size))

    def fixed(self) -> Iterator[Batch]:
        """Give all batches in the table's own order."""
        walk = self._cut(np.arange(len(self._units.start_U)))
        for number in range(self.per_epoch if self._units.rows else 0):
            yield self._numbered(walk, number)

    def some(self, seed: int, epoch: int, first: int, number: int) -> Iterator[Batch]:
        """Give some consecutive batches of a shuffled epoch; fewer at its end."""
        if self._epoch is None or self._epoch.key != (seed, epoch):
            units = len(self._units.start_U)
            order = np.random.default_rng([seed, 3, epoch]).permutation(
                np.arange(units, dtype=row_type(units))
            )
            self._epoch = replace(self._cut(order), key=(seed, epoch))
        for each in range(first, min(first + number, self.per_epoch)):
            yield self._numbered(self._epoch, each)

    def _cut(self, order_U: NDArray[np.int64]) -> _Walk:
        units = self._units
        end_U = np.cumsum((units.end_U - units.start_U)[order_U])
        end_U -= 1
        end_U //= self._plan.batch_size
        return _Walk(order_U, end_U.astype(row_type(len(order_U))))

    def _numbered(self, walk: _Walk, number: int) -> Batch:
        kind = walk.batch_U.dtype.type  # numbers of another type would have numpy copy all of them
        begin, end = np.searchsorted(walk.batch_U, np.array([number, number + 1], dtype=kind))
        return self.batch(self._units.take(np.sort(walk.order_U[begin:end])))

    def batch(self, units: Units) -> Batch:
        """Put the rows of some units together with what they may know."""
        rows = units.row_numbers()
        table = self._table
        self._given += 1
        if self._given % _LET_GO_AFTER == 0:
            let_go()
        codes_BC = torch.from_numpy(table.codes_RC[rows].astype(np.int64))
        if table.parent_R is None:
            return Batch(codes_BC, seen=self._relatives.seen(rows)).on(self._plan.device)
        parent_P, parent_B = np.unique(table.parent_R[rows], return_inverse=True)
        context = self._relatives.of(parent_P, parent_B)
        batch = Batch(codes_BC, context, self._history(rows, units), self._relatives.seen(rows))
        return batch.on(self._plan.device)

    def _history(self, rows: RowArray, units: Units) -> History:
        index_B = self._index_R[rows].astype(np.int64)
        length_U = units.end_U - units.start_U
        within_B = rows - np.repeat(units.start_U, length_U)
        span_B = within_B + np.repeat(units.offset_U > 0, length_U)
        previous_BC = self._table.codes_RC[np.maximum(rows - 1, 0)].astype(np.int64)
        return History(
            previous_BC=torch.from_numpy(previous_BC),
            known_B=torch.from_numpy(index_B > 0),
            index_B=torch.from_numpy(index_B),
            remaining_B=torch.from_numpy(self._remaining_R[rows].astype(np.int64)),
            span_B=torch.from_numpy(span_B),
        )


def sequence_places(parent_R: RowArray | None) -> tuple[RowArray, RowArray]:
    """Give each row's place in its sequence and how many rows follow it.

    >>> index_R, remaining_R = sequence_places(np.array([0, 0, 2]))
    >>> index_R.tolist(), remaining_R.tolist()
    ([0, 1, 0], [1, 0, 0])
    """
    if parent_R is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    row_R = np.arange(len(parent_R), dtype=row_type(len(parent_R)))
    return row_R - first_places(parent_R), first_places(parent_R, "right") - 1 - row_R
