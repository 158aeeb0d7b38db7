"""Repair: swaps and moves until no row breaks what must be kept.

Every row holds a target row. A row is *settled* when it breaks no rule; the pairs of label and target row of
the settled rows are kept as sorted numbers, so that thousands of proposals are tried at once.
Shape letters: W rows, T target rows, S scopes, L rows left, Y tries for each, P proposals.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kinsynth.encoded import RowArray
from kinsynth.engine.rules import Rules
from kinsynth.engine.seats import Seats
from kinsynth.system.randomness import uniforms

_ROUNDS = 60
_TRIES = 64
_AT_ONCE = 1 << 16
Flags = NDArray[np.bool_]
Draw = Callable[[str, RowArray, int], NDArray[np.float64]]


class State:
    """Who holds what, which rows are settled, and the pairs of those that are."""

    def __init__(self, rules: Rules, target_W: RowArray, order_W: RowArray) -> None:
        self.rules, self.target_W = rules, target_W.copy()
        self.settled_W = ~rules.avoided(np.arange(len(target_W)), target_W)
        sorted_pairs = []
        for number in range(len(rules.apart)):
            row = order_W[self.settled_W[order_W]]
            pair = rules.pairs(number, row, target_W[row])
            by_pair = np.argsort(pair, kind="stable")
            again = np.zeros(len(row), dtype=np.bool_)
            again[by_pair[1:]] = pair[by_pair[1:]] == pair[by_pair[:-1]]
            self.settled_W[row[again]] = False
            sorted_pairs.append((row[by_pair], pair[by_pair]))
        self.pairs = [pair[self.settled_W[row]] for row, pair in sorted_pairs]

    def left(self) -> RowArray:
        """Give the rows that are not settled."""
        return np.flatnonzero(~self.settled_W)

    def taken(self, number: int, pair_P: RowArray) -> Flags:
        """Tell which pairs a settled row has."""
        pairs = self.pairs[number]
        if not len(pairs):
            return np.zeros(len(pair_P), dtype=np.bool_)
        place_P = np.minimum(np.searchsorted(pairs, pair_P), len(pairs) - 1)
        return np.asarray(pairs[place_P] == pair_P)

    def may_hold(self, row_P: RowArray, target_P: RowArray, giver_P: RowArray | None = None) -> Flags:
        """Tell where a row may take a target row, from a settled row that gives it away if one is named."""
        fine_P = ~self.rules.avoided(row_P, target_P)
        for number, label_W in enumerate(self.rules.apart):
            taken_P = self.taken(number, self.rules.pairs(number, row_P, target_P))
            if giver_P is not None:
                taken_P &= ~(self.settled_W[giver_P] & (label_W[giver_P] == label_W[row_P]))
            fine_P &= ~taken_P
        return fine_P

    def move(self, row_P: RowArray, target_P: RowArray) -> None:
        """Let rows hold target rows; they are settled then. No two of the pairs are equal or taken."""
        was = row_P[self.settled_W[row_P]]
        for number in range(len(self.rules.apart)):
            gone = np.sort(self.rules.pairs(number, was, self.target_W[was]))
            kept = np.delete(self.pairs[number], np.searchsorted(self.pairs[number], gone))
            new = np.sort(self.rules.pairs(number, row_P, target_P))
            self.pairs[number] = np.insert(kept, np.searchsorted(kept, new), new)
        self.target_W[row_P], self.settled_W[row_P] = target_P, True


def repair(
    rules: Rules, seats: Seats, quota_T: RowArray, ids_W: RowArray, *, seed: int, stream: str
) -> RowArray:
    """Change who holds what until every rule is kept, as few rows and as near as can be.

    First by swaps inside a cell, then inside a scope: both keep how many rows hold each target row. Then by
    target rows with slots to spare, then by any in proportion to its quota.

    Args:
        rules: What must be kept.
        seats: Who holds what, and the order of the rows by cell.
        quota_T: How many rows shall hold each target row, shape (T,).
        ids_W: Number of each row for its random numbers, shape (W,).
        seed: Any integer.
        stream: Name of the use.

    Returns:
        Target row of each row, -1 for the few rows for which chance found none, shape (W,).
    """
    state = State(rules, seats.target_W, seats.order_W)

    def draw(use: str, row_L: RowArray, tries: int) -> NDArray[np.float64]:
        return uniforms(seed, f"{stream}.{use}", ids_W[row_L], draws=tries)

    first_S = np.searchsorted(seats.scope_C, np.arange(int(rules.scope_T.max()) + 2))
    in_cell = (seats.first_C[seats.cell_W], seats.first_C[seats.cell_W + 1])
    in_scope = tuple(seats.first_C[first_S][rules.scope_W + more] for more in (0, 1))
    for use, (low_W, high_W) in (("cell", in_cell), ("scope", in_scope)):
        _swap(state, seats.order_W, (low_W, high_W), draw, use)
    _take(state, quota_T, draw, spare=True)
    _take(state, quota_T, draw, spare=False)
    return np.where(state.settled_W, state.target_W, -1)


def _swap(state: State, order_W: RowArray, span: tuple[RowArray, RowArray], draw: Draw, use: str) -> None:
    """Let rows left swap with rows that stand between the two places of ``span`` in the order."""
    low_W, high_W = span
    for turn in range(_ROUNDS):
        row_L = state.left()
        if not len(row_L):
            return
        tries = min(_TRIES, max(1, _AT_ONCE // len(row_L)))
        chance_LY = draw(f"{use}.{turn}", row_L, tries)
        span_L = high_W[row_L] - low_W[row_L]
        other_LY = order_W[low_W[row_L][:, None] + (chance_LY * span_L[:, None]).astype(np.int64)]
        row_P, other_P = np.repeat(row_L, tries), other_LY.reshape(-1)
        mine_P, its_P = state.target_W[row_P], state.target_W[other_P]
        fine_P = (mine_P != its_P) & state.may_hold(row_P, its_P, other_P) & state.may_hold(other_P, mine_P)
        row_P, other_P = _first_fine(fine_P.reshape(-1, tries), row_L, other_LY)
        pair_P2 = np.stack([row_P, other_P], axis=1)
        target_P2 = np.stack([state.target_W[other_P], state.target_W[row_P]], axis=1)
        if not _apply(state, pair_P2, target_P2) and tries == _TRIES:
            return


def _take(state: State, quota_T: RowArray, draw: Draw, *, spare: bool) -> None:
    """Let rows left take other target rows of their scope: such with slots to spare, or any by its quota."""
    order_T = np.argsort(state.rules.scope_T, kind="stable")
    scopes = int(state.rules.scope_T.max()) + 1
    first_S = np.searchsorted(state.rules.scope_T[order_T], np.arange(scopes + 1))
    for turn in range(_ROUNDS):
        row_L = state.left()
        if not len(row_L):
            return
        weight_T = quota_T
        if spare:
            held_T = np.bincount(state.target_W[state.settled_W], minlength=len(quota_T))
            weight_T = np.maximum(quota_T - held_T, 0)
        sum_T = np.concatenate([[0], np.cumsum(weight_T[order_T])])
        low_L, high_L = (sum_T[first_S[state.rules.scope_W[row_L] + more]] for more in (0, 1))
        row_L, low_L, high_L = (array[high_L > low_L] for array in (row_L, low_L, high_L))
        if not len(row_L):
            return
        tries = min(_TRIES, max(1, _AT_ONCE // len(row_L)))
        chance_LY = draw(f"{'spare' if spare else 'any'}.{turn}", row_L, tries)
        slot_LY = low_L[:, None] + (chance_LY * (high_L - low_L)[:, None]).astype(np.int64)
        target_LY = order_T[np.searchsorted(sum_T, slot_LY, side="right") - 1]
        fine_P = state.may_hold(np.repeat(row_L, tries), target_LY.reshape(-1))
        row_P, target_P = _first_fine(fine_P.reshape(-1, tries), row_L, target_LY)
        if not _apply(state, row_P[:, None], target_P[:, None]) and tries == _TRIES:
            return


def _first_fine(fine_LY: Flags, row_L: RowArray, what_LY: RowArray) -> tuple[RowArray, RowArray]:
    """Give the rows with a fine proposal, and the first such."""
    some_L = np.flatnonzero(fine_LY.any(axis=1))
    return row_L[some_L], what_LY[some_L, fine_LY[some_L].argmax(axis=1)]


def _apply(state: State, row_PM: RowArray, target_PM: RowArray) -> int:
    """Carry out the proposals that do not meet an earlier one in a row or a pair; give how many."""
    members = row_PM.shape[1]
    row, target = row_PM.reshape(-1), target_PM.reshape(-1)
    alone = _first(row)
    for number in range(len(state.rules.apart)):
        alone &= _first(state.rules.pairs(number, row, target))
    chosen = np.flatnonzero(alone.reshape(-1, members).all(axis=1))
    state.move(row_PM[chosen].reshape(-1), target_PM[chosen].reshape(-1))
    return len(chosen)


def _first(number: RowArray) -> Flags:
    """Tell where a number occurs for the first time."""
    first = np.zeros(len(number), dtype=np.bool_)
    first[np.unique(number, return_index=True)[1]] = True
    return first
