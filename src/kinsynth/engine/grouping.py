"""Grouping: a small tree over the codes of a table; its leaves tell apart what kind of rows point at a row.

A regression tree with many responses (De'ath 2002), grown best first; a cut is kept only where it explains
more than the best of all cuts does when the responses are shuffled.
Shape letters: T target rows, C sub-columns, K codes, P numbers of a profile, M codes seen in a node,
B shufflings, N nodes.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from kinsynth.encoded import CodeArray, FloatArray, Grouping, RowArray, SubColumn
from kinsynth.system.randomness import uniforms

_LEAST_WEIGHT = 30.0
_MOST_ROWS = 200_000
_TESTED_ROWS = 8_000
_SHUFFLINGS = 20
_SIGMAS = 4.0
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class _Cut:
    """A question and what it explains.

    Attributes:
        gain: By how much the weighted sum of squares falls.
        sub_column: Number of the sub-column asked.
        seen: Codes of the node, those on the left first, shape (M,).
        lefts: How many of them are on the left.
    """

    gain: float
    sub_column: int
    seen: RowArray
    lefts: int


@dataclass
class _Tree:
    """Nodes as they are made."""

    sub_column: list[int] = field(default_factory=list)
    left: list[tuple[int, ...]] = field(default_factory=list)
    below: list[tuple[int, int]] = field(default_factory=list)

    def add(self) -> int:
        """Add a leaf; give its number."""
        self.sub_column.append(-1)
        self.left.append(())
        self.below.append((-1, -1))
        return len(self.below) - 1

    def split(self, node: int, sub_column: int, left: tuple[int, ...]) -> tuple[int, int]:
        """Make a leaf a question; give the numbers of the two leaves below."""
        self.sub_column[node], self.left[node], self.below[node] = sub_column, left, (self.add(), self.add())
        return self.below[node]

    def grouping(self) -> Grouping:
        """Give the tree with its leaves numbered from left to right."""
        group_N, waiting, group = np.full(len(self.below), -1, dtype=np.int64), [0], 0
        while waiting:
            node = waiting.pop()
            if self.sub_column[node] < 0:
                group_N[node], group = group, group + 1
            else:
                waiting.extend(reversed(self.below[node]))
        below_N2 = np.array(self.below, dtype=np.int64).reshape(-1, 2)
        return Grouping(np.array(self.sub_column, dtype=np.int64), tuple(self.left), below_N2, group_N)


def fit_grouping(
    codes_TC: CodeArray,
    sub_columns: Sequence[SubColumn],
    profile_TP: FloatArray,
    weight_T: FloatArray,
    root_T: RowArray,
    *,
    minimum: int,
    most: int = 64,
    seed: int = 0,
) -> Grouping:
    """Fit groups of target rows so that rows of a group are pointed at by like rows.

    Args:
        codes_TC: Codes of the target rows, shape (T, C).
        sub_columns: What each of the C sub-columns is; only those shown are asked.
        profile_TP: What the rows that point at each target row are like, shape (T, P).
        weight_T: How much each profile counts, >= 0, such as pointing rows; shape (T,).
        root_T: Root row that each target row hangs on, shape (T,).
        minimum: Roots that the target rows of each group must hang on, at least.
        most: Groups, at most.
        seed: Any integer; decides how profiles are shuffled.

    Returns:
        A grouping. Neighbours are alike: of two groups parted by a cut the one with the lower mean along the
        first principal direction of all profiles is on the left.

    Guarantees:
        Each group has ``minimum`` roots and weight 30 among the rows looked at: all with weight, at most
        200,000, evenly spread. Every code has a side at every cut: codes not seen there go by their place, or
        right. Same arguments, same grouping.

    Sources:
        De'ath, "Multivariate regression trees", Ecology 83, 2002; order of categories by their mean: Breiman
        et al., "Classification and regression trees", 1984, 4.2.
    """
    grower = _Grower.of(codes_TC, sub_columns, profile_TP, weight_T, root_T, minimum=minimum, seed=seed)
    tree = _Tree()
    waiting: list[tuple[float, int, RowArray, _Cut]] = []

    def consider(node: int, row: RowArray) -> None:
        cut = grower.best_cut(row)
        if cut is not None:
            heapq.heappush(waiting, (-cut.gain, node, row, cut))

    consider(tree.add(), np.arange(len(grower.weight_T)))
    leaves = 1
    while waiting and leaves < most:
        _, node, row, cut = heapq.heappop(waiting)
        if not grower.above_chance(row, node):
            continue
        left = grower.left_codes(cut, row)
        goes_left = np.isin(grower.codes_CT[cut.sub_column][row], left)
        for below, some in zip(
            tree.split(node, cut.sub_column, left), (row[goes_left], row[~goes_left]), strict=True
        ):
            consider(below, some)
        leaves += 1
    return tree.grouping()


@dataclass(frozen=True)
class _Grower:
    """The rows looked at, in the order of their roots, and how a node of them is cut."""

    codes_CT: dict[int, RowArray]
    sub_columns: Sequence[SubColumn]
    profile_TP: Numbers
    weight_T: Numbers
    root_T: RowArray
    direction_P: Numbers
    minimum: int
    seed: int

    @classmethod
    def of(
        cls,
        codes_TC: CodeArray,
        sub_columns: Sequence[SubColumn],
        profile_TP: FloatArray,
        weight_T: FloatArray,
        root_T: RowArray,
        *,
        minimum: int,
        seed: int,
    ) -> _Grower:
        """Choose the rows to look at and sort them by root."""
        row = np.flatnonzero(weight_T > 0)
        if len(row) > _MOST_ROWS:
            row = row[np.linspace(0, len(row) - 1, _MOST_ROWS).astype(np.int64)]
        row = row[np.argsort(root_T[row], kind="stable")]
        asked = [number for number, sub in enumerate(sub_columns) if sub.shown and sub.cardinality > 1]
        codes_CT = {number: codes_TC[row, number].astype(np.int64) for number in asked}
        profile, weight = profile_TP[row].astype(np.float64), weight_T[row].astype(np.float64)
        direction_P = _principal(_centred(profile, weight), weight)
        return cls(codes_CT, sub_columns, profile, weight, root_T[row], direction_P, minimum, seed)

    def best_cut(self, row: RowArray) -> _Cut | None:
        """Give the cut that explains most, or None where none leaves enough on both sides."""
        best: _Cut | None = None
        root_starts = np.flatnonzero(np.diff(self.root_T[row], prepend=-1))
        if len(root_starts) < 2 * self.minimum or self.weight_T[row].sum() < 2 * _LEAST_WEIGHT:
            return None
        weight = self.weight_T[row]
        profile = _centred(self.profile_TP[row], weight)
        direction_P = _principal(profile, weight)
        weighted_TBP = (profile * weight[:, None])[:, None]
        for number, code_T in self.codes_CT.items():
            seen, place = _seen(code_T[row], self.sub_columns[number].cardinality)
            if len(seen) < 2:
                continue
            sums = _sum_by_code(place, len(seen), weighted_TBP, weight[:, None])
            for order_BM in self._orders(number, seen, *sums, direction_P):
                rank = np.empty(len(seen), dtype=np.int64)
                rank[order_BM[0]] = np.arange(len(seen))
                roots = _roots(rank[place], root_starts, len(seen))
                gain_BM = _gains(*sums, order_BM)
                gain_BM[0, np.minimum(*roots)[:-1] < self.minimum] = 0.0
                lefts = int(gain_BM[0].argmax())
                if gain_BM[0, lefts] > (0.0 if best is None else best.gain):
                    best = _Cut(float(gain_BM[0, lefts]), number, seen[order_BM[0]], lefts + 1)
        return best

    def above_chance(self, row: RowArray, node: int) -> bool:
        """Tell whether the best cut explains more than the best one does of shuffled profiles.

        At most 8,000 rows of the node are looked at, evenly spread; the limit is 4 standard deviations above
        the mean of 20 shufflings, and the largest of them.
        """
        if len(row) > _TESTED_ROWS:
            row = row[np.linspace(0, len(row) - 1, _TESTED_ROWS).astype(np.int64)]
        weight = self.weight_T[row]
        profile = _centred(self.profile_TP[row], weight)
        direction_P = _principal(profile, weight)
        chance_TB = uniforms(self.seed, f"grouping.{node}", np.arange(len(row)), draws=_SHUFFLINGS)
        shuffled_TB = np.column_stack([np.arange(len(row)), np.argsort(chance_TB, axis=0, kind="stable")])
        weight_TB = weight[shuffled_TB]
        weighted_TBP = (profile * weight[:, None]).astype(np.float32)[shuffled_TB]
        best_B = np.zeros(_SHUFFLINGS + 1)
        for number, code_T in self.codes_CT.items():
            seen, place = _seen(code_T[row], self.sub_columns[number].cardinality)
            if len(seen) < 2:
                continue
            rows_M = np.bincount(place)
            sums = _sum_by_code(place, len(seen), weighted_TBP, weight_TB)
            for order_BM in self._orders(number, seen, *sums, direction_P):
                left_BM = np.cumsum(rows_M[order_BM], axis=1)[:, :-1]
                enough_BM = np.minimum(left_BM, len(row) - left_BM) >= self.minimum
                best_B = np.maximum(best_B, np.where(enough_BM, _gains(*sums, order_BM), 0.0).max(axis=1))
        others_B = best_B[1:]
        return bool(best_B[0] > max(others_B.mean() + _SIGMAS * others_B.std(), others_B.max()))

    def _orders(
        self, number: int, seen: RowArray, sum_MBP: Numbers, weight_MB: Numbers, direction_P: Numbers
    ) -> list[RowArray]:
        """Give the orders of the codes seen in which cuts are looked for, each of shape (B, M).

        Codes with a place stand by it; those without stand by their mean along the direction, before all
        others in one order, and after them in another.
        """
        position_M = self._position(number)[seen]
        placed = np.argsort(position_M, kind="stable")[: int((~np.isnan(position_M)).sum())]
        placed_BM = np.repeat(placed[None], weight_MB.shape[1], axis=0)
        free = np.flatnonzero(np.isnan(position_M))
        score_MB = (sum_MBP[free] @ direction_P) / np.maximum(weight_MB[free], 1e-12)
        free_BM = free[np.argsort(score_MB, axis=0, kind="stable").T]
        if not len(placed) or not len(free):
            return [np.concatenate([placed_BM, free_BM], axis=1)]
        return [np.concatenate(parts, axis=1) for parts in ((free_BM, placed_BM), (placed_BM, free_BM))]

    def _position(self, number: int) -> Numbers:
        sub = self.sub_columns[number]
        if sub.position_K is None:
            return np.full(sub.cardinality, np.nan)
        return sub.position_K.astype(np.float64)

    def left_codes(self, cut: _Cut, row: RowArray) -> tuple[int, ...]:
        """Give all codes of the sub-column that go left, those not seen in the node too."""
        sides = [cut.seen[: cut.lefts], cut.seen[cut.lefts :]]
        along, weight = self.profile_TP[row] @ self.direction_P, self.weight_T[row]
        first = np.isin(self.codes_CT[cut.sub_column][row], sides[0])
        means = [np.average(along[some], weights=weight[some]) for some in (first, ~first)]
        if means[0] > means[1]:
            sides.reverse()
        position_K = self._position(cut.sub_column)
        unseen = np.setdiff1d(np.flatnonzero(~np.isnan(position_K)), cut.seen)
        far = [np.abs(position_K[unseen][:, None] - position_K[side]).T for side in sides]
        near = [np.fmin.reduce(some, axis=0, initial=np.inf) for some in far]
        return tuple(sorted([*sides[0].tolist(), *unseen[near[0] < near[1]].tolist()]))


def _seen(code_T: RowArray, codes: int) -> tuple[RowArray, RowArray]:
    """Give the codes that occur, and the place of each row's code among them."""
    seen_K = np.bincount(code_T, minlength=codes) > 0
    return np.flatnonzero(seen_K), (np.cumsum(seen_K) - 1)[code_T]


def _centred(profile_TP: Numbers, weight_T: Numbers) -> Numbers:
    """Give profiles less their weighted mean."""
    return np.asarray(profile_TP - weight_T @ profile_TP / max(float(weight_T.sum()), 1e-12))


def _principal(profile_TP: Numbers, weight_T: Numbers) -> Numbers:
    """Give the direction in which centred profiles spread most, its largest part positive, shape (P,)."""
    direction_P: Numbers = np.linalg.eigh((profile_TP * weight_T[:, None]).T @ profile_TP)[1][:, -1]
    return np.asarray(direction_P * np.sign(direction_P[np.abs(direction_P).argmax()]))


def _sum_by_code(
    place_T: RowArray, codes: int, weighted_TBP: Numbers | FloatArray, weight_TB: Numbers
) -> tuple[Numbers, Numbers]:
    """Give the weighted sum of profiles and the weight of each code, shapes (M, B, P) and (M, B)."""
    rows, shufflings, width = weighted_TBP.shape
    picks = csc_array((np.ones(rows, weighted_TBP.dtype), place_T, np.arange(rows + 1)), shape=(codes, rows))
    sum_MX = picks @ weighted_TBP.reshape(rows, -1)
    return sum_MX.reshape(codes, shufflings, width), picks @ weight_TB


def _gains(sum_MBP: Numbers, weight_MB: Numbers, order_BM: RowArray) -> Numbers:
    """Give what a cut behind each code explains, 0 with too little weight on a side, shape (B, M - 1)."""
    each = np.arange(len(order_BM))[:, None]
    left_BMP = np.cumsum(sum_MBP[order_BM, each], axis=1)[:, :-1]
    weight_BM = np.cumsum(weight_MB[order_BM, each], axis=1)
    left_BM, right_BM = weight_BM[:, :-1], weight_BM[:, -1:] - weight_BM[:, :-1]
    enough_BM = np.minimum(left_BM, right_BM) >= _LEAST_WEIGHT
    squares_BM = np.square(left_BMP).sum(axis=2)  # profiles are centred: the sum on the right is the negative
    return np.where(enough_BM, squares_BM / np.maximum(left_BM, 1e-12), 0.0) + np.where(
        enough_BM, squares_BM / np.maximum(right_BM, 1e-12), 0.0
    )


def _roots(rank_T: RowArray, root_starts: RowArray, codes: int) -> tuple[RowArray, RowArray]:
    """Give the number of roots with rows at or before each rank, and with rows behind it, shapes (M,)."""
    first = np.minimum.reduceat(rank_T, root_starts)
    last = np.maximum.reduceat(rank_T, root_starts)
    before_M, through_M = (np.cumsum(np.bincount(rank, minlength=codes)) for rank in (first, last))
    return before_M, len(root_starts) - through_M
