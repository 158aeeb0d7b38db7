"""Seats: which cell each row is served in, and which target row of the cell it gets.

A *cell* holds the target rows of one scope and group; a *slot* is one of the times a target row may be given.
Shape letters: W rows that want a target, T target rows, C cells, S scopes, L rows left over, X slots.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinsynth.encoded import RowArray
from kinsynth.system.randomness import uniforms


@dataclass(frozen=True)
class Seats:
    """Rows in the order of their cells.

    Attributes:
        order_W: Rows, those of one cell together, cells of one scope together, shape (W,).
        target_W: Target row of each row (by row, not by order), shape (W,).
        cell_W: Cell of each row (by row), shape (W,).
        first_C: Where the rows of each cell begin in ``order_W``, and the number of rows, shape (C + 1,).
        scope_C: Scope of each cell, shape (C,).
    """

    order_W: RowArray
    target_W: RowArray
    cell_W: RowArray
    first_C: RowArray
    scope_C: RowArray


def seat(
    *,
    scope_W: RowArray,
    group_W: RowArray,
    beside_W: RowArray | None,
    scope_T: RowArray,
    group_T: RowArray,
    quota_T: RowArray,
    chance_W: NDArray[np.float64],
    seed: int,
    stream: str,
) -> Seats:
    """Give each row a target row of its scope, of its group where the quotas allow, else of a near group.

    Args:
        scope_W: Scope of each row, shape (W,).
        group_W: Group that each row wants, >= 0, shape (W,).
        beside_W: Rows of a cell with equal numbers >= 0 get slots beside each other, which are mostly of
            different target rows; None for no wish. Shape (W,).
        scope_T: Scope of each target row, shape (T,).
        group_T: Group of each target row, >= 0, shape (T,).
        quota_T: The most rows that get each target row; over a scope at least its rows. Shape (T,).
        chance_W: A random number for each row, shape (W,).
        seed: Any integer.
        stream: Name of the use.

    Guarantees:
        A cell serves as many of its own rows as it has slots. Where it has more slots than rows, each target
        row keeps its share, rounded down or up by chance. Which row gets which slot is by chance.
    """
    groups = 1 + int(max(group_T.max(), group_W.max()))
    by_cell_T = np.lexsort((group_T, scope_T))
    key_T = (scope_T * groups + group_T)[by_cell_T]
    key_C, first_T = np.unique(key_T, return_index=True)
    slots_C = np.add.reduceat(quota_T[by_cell_T], first_T)
    random_W = np.argsort(chance_W, kind="stable")
    cell_W = _cells((scope_W * groups + group_W)[random_W], random_W, key_C, slots_C, groups)
    order_W = _order(cell_W, beside_W, random_W, chance_W)
    rows_C = np.bincount(cell_W, minlength=len(key_C))
    target_W = np.empty(len(cell_W), dtype=np.int64)
    cell_T = np.repeat(np.arange(len(key_C)), np.diff(np.append(first_T, len(key_T))))
    place_W = _slots(cell_T, quota_T[by_cell_T], rows_C, seed=seed, stream=f"{stream}.slots")
    target_W[order_W] = by_cell_T[place_W]
    return Seats(order_W, target_W, cell_W, np.concatenate([[0], np.cumsum(rows_C)]), key_C // groups)


def _cells(key_W: RowArray, random_W: RowArray, key_C: RowArray, slots_C: RowArray, groups: int) -> RowArray:
    """Give the cell each row is served in, shape (W,); the keys are those of the rows in random order."""
    order_W = np.argsort(key_W, kind="stable")
    key_W = key_W[order_W]
    order_W = random_W[order_W]
    first_C, end_C = (np.searchsorted(key_W, key_C, side=side) for side in ("left", "right"))
    served_C = np.minimum(end_C - first_C, slots_C)
    cell_W = np.full(len(key_W), -1, dtype=np.int64)
    served = _runs(first_C, served_C)
    cell_W[served] = np.repeat(np.arange(len(key_C)), served_C)
    left_L = np.flatnonzero(cell_W < 0)
    if len(left_L):
        cell_W[left_L] = _near_cells(key_W[left_L], key_C, slots_C - served_C, groups)
    by_row_W = np.empty_like(cell_W)
    by_row_W[order_W] = cell_W
    return by_row_W


def _runs(first_C: RowArray, length_C: RowArray) -> RowArray:
    """Give ``first, first + 1, ...`` of each length, one after the other."""
    begin_C = np.cumsum(length_C) - length_C
    return np.asarray(np.arange(int(length_C.sum())) + np.repeat(first_C - begin_C, length_C))


def _near_cells(key_L: RowArray, key_C: RowArray, free_C: RowArray, groups: int) -> RowArray:
    """Give rows left over, in the order of their keys, what is left in cells with near groups of their scope.

    Groups meet in blocks of 2, 4, 8 ... neighbours, each block twice, the second time moved by half of it,
    until the block is the whole scope. It takes two steps for each doubling, not one for each distance.
    """
    cell_L, free_C = np.full(len(key_L), -1, dtype=np.int64), free_C.copy()
    sizes = [1 << bit for bit in range(1, (groups - 1).bit_length() + 1)]
    steps = [*((size, moved) for size in sizes for moved in (0, size // 2)), (groups, 0)]
    for size, moved in steps:
        left_L, left_C = np.flatnonzero(cell_L < 0), np.flatnonzero(free_C)
        if len(left_L) and len(left_C):
            block_L, block_C = (
                key // groups * (2 * groups + 2) + (key % groups + moved) // size
                for key in (key_L[left_L], key_C[left_C])
            )
            taken_L, chosen = _meet(block_L, block_C, free_C[left_C])
            cell_L[left_L[taken_L]] = left_C[chosen]
            free_C[left_C] -= np.bincount(chosen, minlength=len(left_C))
    return cell_L


def _meet(block_L: RowArray, block_C: RowArray, free_C: RowArray) -> tuple[NDArray[np.bool_], RowArray]:
    """Tell which rows are served by the cells of their block, and the cell of each that is."""
    through_C = np.cumsum(free_C)
    before_C = through_C - free_C
    starts = np.flatnonzero(np.diff(block_L, prepend=-1))
    rows = np.diff(starts, append=len(block_L))
    low, high = (np.searchsorted(block_C, block_L[starts], side=side) for side in ("left", "right"))
    free = np.where(high > low, through_C[high - 1] - before_C[np.minimum(low, len(free_C) - 1)], 0)
    next_L, rows_L, free_L = _runs(np.zeros_like(rows), rows), np.repeat(rows, rows), np.repeat(free, rows)
    slot_L = next_L * free_L
    slot_L //= rows_L
    next_L += 1
    next_L *= free_L
    next_L //= rows_L
    taken_L = next_L > slot_L  # with fewer slots than rows: as many rows as slots, evenly spread
    del next_L, rows_L, free_L
    slot_L += np.repeat(before_C[np.minimum(low, len(free_C) - 1)], rows)
    return taken_L, np.searchsorted(through_C, slot_L[taken_L], side="right")


def _order(
    cell_W: RowArray, beside_W: RowArray | None, random_W: RowArray, chance_W: NDArray[np.float64]
) -> RowArray:
    """Give the rows by cell, in a cell by ``beside_W`` in random order, in that by chance, shape (W,)."""
    if beside_W is None:
        return random_W[np.argsort(cell_W[random_W], kind="stable")]
    labels = int(beside_W.max()) + 1
    chance_B = np.zeros(labels)
    chance_B[beside_W[::-1]] = chance_W[::-1]  # that of its first row, whatever the number of its rows
    rank_B = np.empty(labels, dtype=np.int64)
    rank_B[np.argsort(chance_B, kind="stable")] = np.arange(labels)
    return random_W[np.argsort((cell_W * labels + rank_B[beside_W])[random_W], kind="stable")]


def _slots(cell_T: RowArray, copies_T: RowArray, rows_C: RowArray, *, seed: int, stream: str) -> RowArray:
    """Give the places of the target rows of the slots that are used, cell by cell, each evenly spread.

    Copy k of a target row with c copies stands at (k + chance) / c; the first ones of a cell are used. Each
    copy has its own chance: else target rows with equal quotas would follow each other again and again.
    """
    near_T = _near_copies(cell_T, copies_T, rows_C)
    place_X = np.repeat(np.arange(len(near_T)), near_T)
    position_X = _runs(np.zeros(len(near_T), dtype=np.int64), near_T).astype(np.float64)
    position_X += uniforms(seed, stream, np.arange(len(place_X)))[:, 0]
    position_X /= copies_T[place_X]
    bits = 62 - max(1, len(rows_C).bit_length())
    step_X = np.minimum((position_X * 2.0**bits).astype(np.int64), (1 << bits) - 1)
    del position_X
    step_X += cell_T[place_X] << bits
    place_X = place_X[np.argsort(step_X, kind="stable")]
    slots_C = np.bincount(cell_T, near_T, len(rows_C)).astype(np.int64)
    return place_X[_runs(np.cumsum(slots_C) - slots_C, rows_C)]


def _near_copies(cell_T: RowArray, copies_T: RowArray, rows_C: RowArray) -> RowArray:
    """Give how many copies of each target row can be among the first of its cell, as many as it has rows.

    Up to a position x there are at least x c - 1 copies of each: as many as rows once x times all copies is
    rows and target rows together.
    """
    targets_C, slots_C = np.bincount(cell_T), np.bincount(cell_T, copies_T)
    reach_C = np.where(rows_C > 0, (rows_C + targets_C) / np.maximum(slots_C, 1), 0.0)
    return np.minimum(copies_T, np.ceil(copies_T * reach_C[cell_T]).astype(np.int64))
