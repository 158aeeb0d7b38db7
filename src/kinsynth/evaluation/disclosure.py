"""Disclosure: do synthetic rows give training rows away? Exact copies, nearest neighbours, membership.

Every attack is tried on held-out rows too, which cannot have been given away: only what goes beyond them, and
beyond chance, counts as risk. Rows of one subject stay together and count once where chance is estimated.
Without held-out rows, a quarter of the training subjects stands in for them where that is possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kinsynth.evaluation.detection import ranking_quality
from kinsynth.evaluation.marginals import shares
from kinsynth.evaluation.neighbours import Points, nearest, place_points
from kinsynth.evaluation.results import Distribution, Metric, NeighbourComparison
from kinsynth.evaluation.variables import FloatArray, IntArray, Variable

_SURELY = 2.0
_FEWEST_SUBJECTS = 30
_UNUSUAL = 0.05
_SET_APART = 0.25
_SEARCHED = 5
_CELLS = 24


@dataclass(frozen=True)
class Attack:
    """What an attacker achieves, beside what the same attack achieves on held-out rows.

    Attributes:
        share: Share of rows the attack succeeds on.
        baseline: The same share where nothing can be learned.
        subjects: Independent subjects behind each of the two shares.
    """

    name: str
    share: float
    baseline: float
    subjects: tuple[int, int]

    @property
    def deviation(self) -> float:
        """Standard error of the difference."""
        pooled = (self.share * self.subjects[0] + self.baseline * self.subjects[1]) / sum(self.subjects)
        return float(np.sqrt(max(pooled * (1 - pooled), 0) * (1 / self.subjects[0] + 1 / self.subjects[1])))

    @property
    def risk(self) -> float:
        """Share of rows given away, beyond the baseline and beyond chance."""
        return excess(self.share - _SURELY * self.deviation, self.baseline)

    def metric(self) -> Metric:
        """Give the attack as a result."""
        return Metric(
            name=self.name,
            value=round(self.share, 4),
            interval=wilson(self.share, self.subjects[0]),
            reference=round(self.baseline, 4),
            direction="lower",
        )


def excess(share: float, baseline: float) -> float:
    """Give the part of a share that goes beyond its baseline, 0-1."""
    return float(np.clip((share - baseline) / max(1 - baseline, 1e-9), 0, 1))


def wilson(share: float, rows: int) -> tuple[float, float]:
    """Give the 95 % interval of a share, to four decimals.

    Sources:
        Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    z = 1.96
    middle = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2)) / (1 + z**2 / rows)
    return round(max(0.0, float(middle - half)), 4), round(min(1.0, float(middle + half)), 4)


def row_marks(variables: Sequence[Variable]) -> tuple[IntArray, ...]:
    """Number equal rows of all parts equally."""
    sizes = [len(part) for part in variables[0].parts]
    whole = np.zeros(sum(sizes), dtype=np.int64)
    for variable in variables:
        _, codes = np.unique(np.concatenate(variable.parts), return_inverse=True)
        _, whole = np.unique(whole * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)
    return tuple(np.split(whole, np.cumsum(sizes)[:-1]))


def copied_rows(variables: Sequence[Variable], owners: Sequence[IntArray]) -> Attack:
    """Count synthetic rows that are equal to a training row in every column.

    The baseline are held-out rows that are; without them, training rows equal to one of another subject.
    """
    marks = row_marks(variables)
    cells = max(int(part.max(initial=0)) for part in marks) + 1
    holders = np.bincount(np.unique(np.stack([marks[0], owners[0]]), axis=1)[0], minlength=cells)
    copied = float((holders[marks[1]] > 0).mean())
    reference, needed = (2, 0) if len(marks) > 2 else (0, 1)
    baseline = float((holders[marks[reference]] > needed).mean())
    sizes = (len(np.unique(owners[1])), len(np.unique(owners[reference])))
    return Attack("exact_copies", copied, baseline, sizes)


@dataclass(frozen=True)
class Sample:
    """Some rows of one part: asked for, or searched.

    Attributes:
        points: The rows, shape (R, D).
        subjects: Number of different subjects among them.
    """

    points: Points
    subjects: int


def sample(points: Points, owners: IntArray, rows: int) -> Sample:
    """Take at most so many of the first rows."""
    return Sample(points[:rows], len(np.unique(owners[:rows])))


def set_apart(
    points: Points, owners: IntArray, *, subjects: int, rows: int, rng: np.random.Generator
) -> tuple[Sample, Sample]:
    """Separate the rows of some subjects from those of all others."""
    numbers = rng.permutation(np.unique(owners))
    apart = np.isin(owners, numbers[:subjects])
    kept = ~apart if not apart.all() else apart
    return sample(points[apart], owners[apart], rows), Sample(points[kept], len(numbers) - subjects)


def compare_neighbours(
    variables: Sequence[Variable], owners: Sequence[IntArray], *, max_rows: int, seed: int
) -> NeighbourComparison | None:
    """Attack one table.

    Args:
        variables: Columns of original, synthetic and perhaps held-out rows, those of the parents included.
        owners: Subject behind each row of each part.
        max_rows: Most rows of each part that are asked for; five times as many are searched.
        seed: Chooses them.

    Returns:
        The attacks' results; None where fewer than thirty subjects or no columns can be compared.
    """
    if not variables or min(len(np.unique(owner)) for owner in owners) < _FEWEST_SUBJECTS:
        return None
    rng = np.random.default_rng(seed)
    chosen = [rng.permutation(len(owner))[: _SEARCHED * max_rows] for owner in owners]
    copies = copied_rows(variables, owners)
    points = place_points([variable.taken(chosen, variable.column.name) for variable in variables])
    distances = Distances(points, [o[c] for o, c in zip(owners, chosen, strict=True)], max_rows, rng)
    attacks = [copies, distances.close_rows(), *distances.rows_at_risk()]
    metrics, risks = [attack.metric() for attack in attacks], [attack.risk for attack in attacks]
    if distances.holdout is not None:
        membership, risk = distances.membership(distances.holdout)
        metrics += [membership, distances.nearer_to_training(distances.holdout)]
        risks.append(risk)
    return NeighbourComparison(
        columns=len(variables),
        to_original=spread(distances.synthetic_original, distances.reference_original),
        within=spread(distances.within_synthetic, distances.within_original),
        proximity=distances.proximity(),
        metrics=tuple(metrics),
        risk=round(max(risks), 4),
    )


class Distances:
    """Distances between parts, computed once, and the attacks that use them.

    Training subjects are split: those set apart are asked for, the others are searched, so that a training
    row and a held-out row meet the same strangers.
    """

    def __init__(
        self, points: Sequence[Points], owners: Sequence[IntArray], max_rows: int, rng: np.random.Generator
    ) -> None:
        self.original = (points[0], owners[0])
        apart = max(1, int(_SET_APART * len(np.unique(owners[0]))))
        self.training, rest = set_apart(*self.original, subjects=apart, rows=max_rows, rng=rng)
        apart = max(1, int(_SET_APART * len(np.unique(owners[1]))))
        made, others = set_apart(points[1], owners[1], subjects=apart, rows=max_rows, rng=rng)
        self.synthetic = sample(points[1], owners[1], max_rows)
        self.holdout = sample(points[2], owners[2], max_rows) if len(points) > 2 else None
        self.rng = rng
        self.within_original = nearest(self.training.points, rest.points)
        self.within_synthetic = nearest(made.points, others.points)
        self.training_synthetic = nearest(self.training.points, points[1])
        if self.holdout is None:
            self.synthetic_original = nearest(self.synthetic.points, rest.points)
            self.reference, self.reference_original = self.training, self.within_original
        else:
            self.synthetic_original = nearest(self.synthetic.points, points[0])
            self.reference, self.reference_original = self.holdout, nearest(self.holdout.points, points[0])
            self.holdout_rest = nearest(self.holdout.points, rest.points)
            self.holdout_synthetic = nearest(self.holdout.points, points[1])

    def close_rows(self) -> Attack:
        """Count synthetic rows closer to a training row than all but one in twenty fresh real rows."""
        sizes = (self.synthetic.subjects, self.reference.subjects)
        return unusually_low("close_rows", self.synthetic_original, self.reference_original, sizes)

    def rows_at_risk(self) -> list[Attack]:
        """Count training rows whose proximity ratio is lower than that of all but one in twenty held-out."""
        if self.holdout is None:
            return []
        sizes = (self.training.subjects, self.holdout.subjects)
        return [unusually_low("rows_at_risk", *self.ratios(), sizes)]

    def ratios(self) -> tuple[FloatArray, FloatArray]:
        """Give the proximity ratio of training and of held-out rows."""
        return (
            proximity_ratio(self.training_synthetic, self.within_original),
            proximity_ratio(self.holdout_synthetic, self.holdout_rest),
        )

    def membership(self, holdout: Sample) -> tuple[Metric, float]:
        """Rank rows by their distance to the nearest synthetic row: does it tell who was in training?"""
        distance = np.concatenate([self.training_synthetic, self.holdout_synthetic])
        quality = ranking_quality(-distance, np.arange(len(distance)) < len(self.training_synthetic))
        members, others = self.training.subjects, holdout.subjects
        deviation = float(np.sqrt((members + others + 1) / (12 * members * others)))
        metric = Metric(
            name="membership",
            value=round(quality, 4),
            interval=(round(quality - 1.96 * deviation, 4), round(quality + 1.96 * deviation, 4)),
            reference=0.5,
            direction="reference",
        )
        return metric, excess(quality - _SURELY * deviation, 0.5)

    def nearer_to_training(self, holdout: Sample) -> Metric:
        """Measure the share of synthetic rows nearer to a training than to a held-out row, at equal sizes."""
        rows = len(holdout.points)
        training, _ = set_apart(*self.original, subjects=holdout.subjects, rows=rows, rng=self.rng)
        made = self.synthetic.points
        to_training, to_holdout = nearest(made, training.points), nearest(made, holdout.points)
        share = float((to_training < to_holdout).mean() + (to_training == to_holdout).mean() / 2)
        return Metric(
            name="nearer_to_training",
            value=round(share, 4),
            interval=wilson(share, self.synthetic.subjects),
            reference=0.5,
            direction="reference",
        )

    def proximity(self) -> Distribution | None:
        """Give the distribution of ratios: training rows as synthetic, held-out rows as original."""
        if self.holdout is None:
            return None
        ratio, reference = self.ratios()
        return spread(ratio, reference, largest=3.0)


def unusually_low(name: str, values: FloatArray, reference: FloatArray, sizes: tuple[int, int]) -> Attack:
    """Count values lower than all but one in twenty of the reference."""
    limit = np.quantile(reference, _UNUSUAL, method="higher")
    return Attack(name, float((values < limit).mean()), float((reference < limit).mean()), sizes)


def proximity_ratio(to_synthetic: FloatArray, to_real: FloatArray) -> FloatArray:
    """Divide distances; a row that has a double both among synthetic and real rows gets 1."""
    smallest = 1e-5
    return (to_synthetic + smallest) / (to_real + smallest)


def spread(synthetic: FloatArray, real: FloatArray, *, largest: float | None = None) -> Distribution:
    """Count two sets of distances in the same cells; what lies beyond belongs to the last one."""
    if largest is None:
        largest = max(round(float(np.quantile(np.concatenate([synthetic, real]), 0.99)), 2), 0.01)
    edges = np.linspace(0, largest, _CELLS + 1)
    counts = [np.histogram(np.clip(values, 0, largest), edges)[0] for values in (real, synthetic)]
    return Distribution(
        edges=tuple(float(edge) for edge in np.round(edges, 6)),
        original=shares(counts[0]),
        synthetic=shares(counts[1]),
    )
