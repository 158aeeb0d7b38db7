"""Disclosure: do synthetic rows give training rows away? Nearest neighbours and exact copies.

Every attack is measured on held-out rows too, which cannot have been given away: only what goes beyond them,
and beyond chance, counts as risk. Without held-out rows, training rows stand in for them, each compared with
the other training rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinsynth.evaluation.detection import ranking_quality
from kinsynth.evaluation.marginals import shares
from kinsynth.evaluation.results import Distribution, Metric, NeighbourComparison
from kinsynth.evaluation.variables import FloatArray, IntArray, Variable

SURELY = 2.0
_FEWEST_ROWS = 30
_TOP_CATEGORIES = 16
_BUCKETS = 8
_CLOSE = 0.05
_CELLS = 24

Points = NDArray[np.float32]


def place_points(variables: Sequence[Variable]) -> tuple[Points, ...]:
    """Place the rows of each part in a space where distance means difference.

    An ordered value becomes its rank among the original's values (0-1), a category a corner; two different
    categories, or a missing and a present value, are as far apart as the smallest and largest value.

    Returns:
        Points of each part, shape (R, D).
    """
    parts = [
        np.concatenate([_place(variable, part) for variable in variables], axis=1)
        for part in range(len(variables[0].parts))
    ]
    return tuple(np.ascontiguousarray(part, dtype=np.float32) for part in parts)


def _place(variable: Variable, part: int) -> FloatArray:
    """Place one column, shape (R, d)."""
    values_R = variable.parts[part]
    missing_R1 = np.isnan(values_R)[:, None]
    if variable.labels is None:
        rank_R1 = _rank(values_R, variable.parts[0])[:, None]
        return np.hstack([np.where(missing_R1, 0.5, rank_R1), missing_R1 * np.sqrt(0.75)])
    corners = min(len(variable.labels), _TOP_CATEGORIES)
    buckets = min(len(variable.labels) - corners, _BUCKETS)
    code_R = np.nan_to_num(values_R, nan=-1).astype(np.int64)
    corner_R = np.where(code_R < corners, code_R, corners + code_R % max(buckets, 1))
    corner_R = np.where(code_R < 0, corners + buckets, corner_R)
    corners_RD: FloatArray = np.eye(corners + buckets + 1)[corner_R] / np.sqrt(2)
    return corners_RD


def _rank(values_R: FloatArray, original_R: FloatArray) -> FloatArray:
    """Give the middle rank of values among the original's, 0-1."""
    known = np.sort(original_R[~np.isnan(original_R)])
    if not len(known):
        return np.full(len(values_R), 0.5)
    below, upto = (np.searchsorted(known, values_R, side=side) for side in ("left", "right"))
    rank_R: FloatArray = (below + upto) / (2 * len(known))
    return rank_R


def nearest(queries_QD: Points, base_RD: Points, *, own: IntArray | None = None) -> FloatArray:
    """Give the exact distance to the nearest row.

    Args:
        queries_QD: Points asked for.
        base_RD: Points searched, not empty.
        own: Row in the base that is the query itself and does not count, for each query.

    Returns:
        Distance for each query, shape (Q,).
    """
    import faiss

    index = faiss.IndexFlatL2(base_RD.shape[1])
    index.add(base_RD)
    candidates = min(len(base_RD), 3)
    _, found_QN = index.search(queries_QD, candidates)
    difference_QND = base_RD[found_QN].astype(np.float64) - queries_QD[:, None, :]
    distance_QN = np.sqrt((difference_QND**2).sum(axis=2))
    if own is not None:
        distance_QN[found_QN == own[:, None]] = np.inf
    return np.round(distance_QN.min(axis=1), 5)


def row_marks(variables: Sequence[Variable]) -> tuple[IntArray, ...]:
    """Number equal rows of all parts equally."""
    sizes = [len(part) for part in variables[0].parts]
    whole = np.zeros(sum(sizes), dtype=np.int64)
    for variable in variables:
        _, codes = np.unique(np.concatenate(variable.parts), return_inverse=True)
        _, whole = np.unique(whole * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)
    return tuple(np.split(whole, np.cumsum(sizes)[:-1]))


@dataclass(frozen=True)
class Attack:
    """What an attacker learns, beside what the same attack learns from held-out rows.

    Attributes:
        share: Share of rows the attack succeeds on.
        baseline: The same share where nothing can be learned.
        rows: Rows behind each of the two shares.
    """

    name: str
    share: float
    baseline: float
    rows: tuple[int, int]

    @property
    def deviation(self) -> float:
        """Standard error of the difference."""
        pooled = (self.share * self.rows[0] + self.baseline * self.rows[1]) / sum(self.rows)
        return float(np.sqrt(max(pooled * (1 - pooled), 0) * (1 / self.rows[0] + 1 / self.rows[1])))

    @property
    def risk(self) -> float:
        """Share of rows given away, beyond the baseline and beyond chance."""
        return excess(self.share - SURELY * self.deviation, self.baseline)

    def metric(self) -> Metric:
        """Give the attack as a result."""
        low, high = wilson(self.share, self.rows[0])
        return Metric(
            name=self.name,
            value=round(self.share, 4),
            interval=(round(low, 4), round(high, 4)),
            reference=round(self.baseline, 4),
            direction="lower",
        )


def excess(share: float, baseline: float) -> float:
    """Give the part of a share that goes beyond its baseline, 0-1."""
    return float(np.clip((share - baseline) / max(1 - baseline, 1e-9), 0, 1))


def wilson(share: float, rows: int) -> tuple[float, float]:
    """Give the 95 % interval of a share.

    Sources:
        Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    z = 1.96
    middle = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2)) / (1 + z**2 / rows)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def compare_neighbours(
    variables: Sequence[Variable], *, max_rows: int, seed: int
) -> NeighbourComparison | None:
    """Attack one table.

    Args:
        variables: Columns of original, synthetic and perhaps held-out rows, those of the parents included.
        max_rows: Rows of each part that are compared one by one; ten times as many are searched.
        seed: Chooses them.

    Returns:
        The attacks' results; None where fewer than thirty rows or no columns can be compared.
    """
    if not variables or min(len(part) for part in variables[0].parts) < _FEWEST_ROWS:
        return None
    rng = np.random.default_rng(seed)
    base_rows = [rng.permutation(len(part))[: 10 * max_rows] for part in variables[0].parts]
    points = [part[rows] for part, rows in zip(place_points(variables), base_rows, strict=True)]
    attacks = [_copied_rows(row_marks(variables))]
    distances = _Distances(points, max_rows)
    attacks += [distances.close_rows(), *distances.rows_at_risk()]
    metrics = [attack.metric() for attack in attacks]
    risks = [attack.risk for attack in attacks]
    if distances.has_holdout:
        membership, risk = distances.membership()
        metrics += [membership, distances.nearer_to_training()]
        risks.append(risk)
    return NeighbourComparison(
        columns=len(variables),
        to_original=histogram(distances.synthetic_original, distances.real_original),
        within=histogram(distances.within_original, distances.within_synthetic, swap=True),
        proximity=distances.proximity_histogram(),
        metrics=tuple(metrics),
        risk=round(max(risks), 4),
    )


def _copied_rows(marks: Sequence[IntArray]) -> Attack:
    """Count synthetic rows that are equal to a training row in every column."""
    original, synthetic = marks[0], marks[1]
    counts = np.bincount(original, minlength=max(int(part.max(initial=0)) for part in marks) + 1)
    copied = float((counts[synthetic] > 0).mean())
    if len(marks) > 2:
        return Attack(
            "exact_copies", copied, float((counts[marks[2]] > 0).mean()), (len(synthetic), len(marks[2]))
        )
    return Attack(
        "exact_copies", copied, float((counts[original] > 1).mean()), (len(synthetic), len(original))
    )


class _Distances:
    """Distances between parts, computed once, and the attacks that use them."""

    def __init__(self, points: Sequence[Points], max_rows: int) -> None:
        self.original, self.synthetic = points[0], points[1]
        self.has_holdout = len(points) > 2
        own = np.arange(min(max_rows, len(self.original)))
        some, made = self.original[own], self.synthetic[:max_rows]
        self.within_original = nearest(some, self.original, own=own)
        self.within_synthetic = nearest(made, self.synthetic, own=np.arange(len(made)))
        self.synthetic_original = nearest(made, self.original)
        self.original_synthetic = nearest(some, self.synthetic)
        self.real_original = self.within_original
        self.holdout = points[2][:max_rows] if self.has_holdout else self.original[:0]
        if self.has_holdout:
            self.real_original = nearest(self.holdout, self.original)
            self.holdout_synthetic = nearest(self.holdout, self.synthetic)

    def close_rows(self) -> Attack:
        """Count synthetic rows closer to a training row than all but one in twenty fresh real rows."""
        return _unusually_low("close_rows", self.synthetic_original, self.real_original)

    def ratios(self) -> tuple[FloatArray, FloatArray]:
        """Give the proximity ratio of training and of held-out rows."""
        return (
            _ratio(self.original_synthetic, self.within_original),
            _ratio(self.holdout_synthetic, self.real_original),
        )

    def rows_at_risk(self) -> list[Attack]:
        """Count training rows whose proximity ratio is lower than that of all but one in twenty held-out."""
        return [_unusually_low("rows_at_risk", *self.ratios())] if self.has_holdout else []

    def membership(self) -> tuple[Metric, float]:
        """Rank rows by their distance to the nearest synthetic row: does it tell who was in training?"""
        distance = np.concatenate([self.original_synthetic, self.holdout_synthetic])
        member = np.arange(len(distance)) < len(self.original_synthetic)
        quality = ranking_quality(-distance, member)
        members, others = len(self.original_synthetic), len(self.holdout_synthetic)
        deviation = float(np.sqrt((members + others + 1) / (12 * members * others)))
        metric = Metric(
            name="membership",
            value=round(quality, 4),
            interval=(round(quality - 1.96 * deviation, 4), round(quality + 1.96 * deviation, 4)),
            reference=0.5,
            direction="reference",
        )
        return metric, excess(quality - SURELY * deviation, 0.5)

    def nearer_to_training(self) -> Metric:
        """Measure the share of synthetic rows nearer to a training than to a held-out row, at equal sizes."""
        rows = min(len(self.holdout), len(self.original))
        made = self.synthetic[: len(self.synthetic_original)]
        to_training, to_holdout = nearest(made, self.original[:rows]), nearest(made, self.holdout[:rows])
        share = float((to_training < to_holdout).mean() + (to_training == to_holdout).mean() / 2)
        low, high = wilson(share, len(made))
        return Metric(
            name="nearer_to_training",
            value=round(share, 4),
            interval=(round(low, 4), round(high, 4)),
            reference=0.5,
            direction="reference",
        )

    def proximity_histogram(self) -> Distribution | None:
        """Give the distribution of proximity ratios: training rows, held-out rows."""
        if not self.has_holdout:
            return None
        ratio, reference = self.ratios()
        edges = np.linspace(0, 3, _CELLS + 1)
        return _spread(ratio, reference, edges)


def _unusually_low(name: str, values: FloatArray, reference: FloatArray) -> Attack:
    """Count values lower than all but one in twenty of the reference."""
    limit = np.quantile(reference, _CLOSE, method="higher")
    share, baseline = float((values < limit).mean()), float((reference < limit).mean())
    return Attack(name, share, baseline, (len(values), len(reference)))


def _ratio(to_synthetic: FloatArray, to_real: FloatArray) -> FloatArray:
    """Divide distances; two rows at distance zero of each other are as near as can be expected: 1."""
    smallest = 1e-9
    return (to_synthetic + smallest) / (to_real + smallest)


def histogram(first: FloatArray, second: FloatArray, *, swap: bool = False) -> Distribution:
    """Give the distribution of two sets of distances: synthetic rows, real rows.

    Args:
        first: Distances of synthetic rows; of real rows with ``swap``.
        second: Distances of the others.
        swap: Whether ``first`` are the real rows.
    """
    synthetic, real = (second, first) if swap else (first, second)
    largest = float(np.quantile(np.concatenate([first, second]), 0.99))
    return _spread(synthetic, real, np.linspace(0, max(round(largest, 2), 0.01), _CELLS + 1))


def _spread(synthetic: FloatArray, real: FloatArray, edges: FloatArray) -> Distribution:
    """Count both in the same cells; what lies beyond belongs to the last one."""
    counts = [np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0] for values in (real, synthetic)]
    return Distribution(
        edges=tuple(float(edge) for edge in np.round(edges, 6)),
        original=shares(counts[0]),
        synthetic=shares(counts[1]),
    )
