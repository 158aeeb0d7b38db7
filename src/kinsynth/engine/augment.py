"""Augment: the last rows get a target row by chains of moves, exactly.

A row takes a target row from a row with an equal label, that one takes another, and so on to a free one:
Kuhn's augmenting paths, breadth first, over the target rows of one scope.
Shape letters: W rows, T target rows, S scopes, L rows left, P target rows of one scope.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from kinsynth.encoded import RowArray
from kinsynth.engine.rules import Rules


def augment(
    rules: Rules, target_W: RowArray, row_L: RowArray, quota_T: RowArray, chance_T: NDArray[np.float64]
) -> RowArray:
    """Give target rows to a few rows that have none; others may get another one of their scope.

    Args:
        rules: What must be kept, and is kept by the rows that hold a target row.
        target_W: Target row of each row, -1 for none, shape (W,).
        row_L: Rows without one that want one; each costs a step over the target rows of its scope, or some.
        quota_T: How many rows shall hold each target row, shape (T,).
        chance_T: A random number in [0, 1) for each target row: among equal ones it decides. Shape (T,).

    Returns:
        Target row of each row, -1 for none, shape (W,).

    Guarantees:
        Every rule is kept. With at most one array in ``rules.apart`` a row stays without a target row only
        if no choice of target rows for the rows with its label and scope serves one row more.
    """
    if not len(row_L):
        return target_W
    search = _Search(rules, target_W.copy(), quota_T, chance_T)
    first = rules.apart[0][row_L] if rules.apart else np.zeros(len(row_L), dtype=np.int64)
    order_L = np.lexsort((np.arange(len(row_L)), first, rules.scope_W[row_L]))
    for row in row_L[order_L].tolist():
        search.serve(row)
    return search.target_W


class _Search:
    """Looks for chains of moves; knows who holds what under each label."""

    def __init__(
        self, rules: Rules, target_W: RowArray, quota_T: RowArray, chance_T: NDArray[np.float64]
    ) -> None:
        self.rules, self.target_W, self.quota_T, self.chance_T = rules, target_W, quota_T, chance_T
        self.held_T = np.bincount(target_W[target_W >= 0], minlength=len(quota_T))
        self.order_T = np.argsort(rules.scope_T, kind="stable")
        self.place_T = np.empty_like(self.order_T)
        self.first_S = np.searchsorted(rules.scope_T[self.order_T], np.arange(int(rules.scope_T.max()) + 2))
        self.place_T[self.order_T] = np.arange(len(self.order_T)) - self.first_S[rules.scope_T[self.order_T]]
        self.by_label = [np.argsort(label_W, kind="stable") for label_W in rules.apart]
        self.labels = [label_W[order] for label_W, order in zip(rules.apart, self.by_label, strict=True)]
        self.holders: dict[tuple[int, int], RowArray] = {}
        self.scope: tuple[int, int] = (-1, -1)

    def serve(self, row: int) -> None:
        """Give the row a target row, if any chain of moves leads to a free one."""
        self._enter(row)
        targets = self._targets(row)
        seen_P = np.zeros(len(targets), dtype=np.bool_)
        taker_P = np.full(len(targets), -1, dtype=np.int64)
        waiting = deque([row])
        while waiting:
            taker = waiting.popleft()
            open_P = ~seen_P
            for place_W in self.rules.avoid:
                avoided = int(place_W[taker])
                if avoided >= 0 and self.rules.scope_T[avoided] == self.scope[0]:
                    open_P[self.place_T[avoided]] = False
            holder_P, many_P = self._held_by(taker, len(targets))
            free = np.flatnonzero(open_P & (holder_P < 0))
            if len(free):
                self._move(taker, int(free[self._score(targets[free]).argmin()]), taker_P, targets)
                return
            next_ = np.flatnonzero(open_P & ~many_P)
            seen_P[next_], taker_P[next_] = True, taker
            waiting.extend(holder_P[next_].tolist())

    def _enter(self, row: int) -> None:
        """Forget who holds what in another scope, or under another label where there is one array only."""
        label = int(self.rules.apart[0][row]) if len(self.rules.apart) == 1 else 0
        if (scope := (int(self.rules.scope_W[row]), label)) != self.scope:
            self.scope = scope
            self.holders.clear()

    def _targets(self, row: int) -> RowArray:
        scope = self.rules.scope_W[row]
        return self.order_T[self.first_S[scope] : self.first_S[scope + 1]]

    def _held_by(self, row: int, targets: int) -> tuple[RowArray, NDArray[np.bool_]]:
        """Give the row that bars each target row to this one, -1 for none, and whether there are several."""
        holder_P = np.full(targets, -1, dtype=np.int64)
        many_P = np.zeros(targets, dtype=np.bool_)
        for number, label_W in enumerate(self.rules.apart):
            other_P = self._holders(number, int(label_W[row]), targets)
            many_P |= (holder_P >= 0) & (other_P >= 0) & (holder_P != other_P)
            holder_P = np.where(holder_P >= 0, holder_P, other_P)
        return holder_P, many_P

    def _holders(self, number: int, label: int, targets: int) -> RowArray:
        """Give the row with the label that holds each target row of the scope, -1 for none."""
        if (number, label) not in self.holders:
            low, high = np.searchsorted(self.labels[number], [label, label + 1])
            row = self.by_label[number][low:high]
            row = row[(self.rules.scope_W[row] == self.scope[0]) & (self.target_W[row] >= 0)]
            made_P = np.full(targets, -1, dtype=np.int64)
            made_P[self.place_T[self.target_W[row]]] = row
            self.holders[number, label] = made_P
        return self.holders[number, label]

    def _score(self, target: RowArray) -> NDArray[np.float64]:
        """Tell how full a target row is with one row more; one without a quota is fullest."""
        held, quota = self.held_T[target] + 1 + self.chance_T[target] / 2, self.quota_T[target]
        return np.where(quota > 0, held / np.maximum(quota, 1), held + 1e12)

    def _move(self, row: int, place: int, taker_P: RowArray, targets: RowArray) -> None:
        """Carry out the chain of moves that ends with this row at the free place."""
        self.held_T[targets[place]] += 1
        while True:
            was = int(self.target_W[row])
            for number, label_W in enumerate(self.rules.apart):
                holder_P = self._holders(number, int(label_W[row]), len(targets))
                if was >= 0 and holder_P[self.place_T[was]] == row:
                    holder_P[self.place_T[was]] = -1
                holder_P[place] = row
            self.target_W[row] = targets[place]
            if was < 0:
                return
            place = int(self.place_T[was])
            row = int(taker_P[place])
