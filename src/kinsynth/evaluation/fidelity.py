"""Fidelity: how near the distributions of single columns and of pairs are.

Distances are total variation. Two samples of the same truth already differ by chance, the more so when rows
come in groups; similarities are scaled so that 1 means: as near as another real sample of that size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinsynth.evaluation.bins import Binned
from kinsynth.evaluation.variables import FloatArray, IntArray

_REDRAWS = 200
_DENSE = 16
_WORTH_MODELLING = 0.01
_MOST_CHANCE = 0.9


def total_variation(share_K: FloatArray, other_K: FloatArray) -> float:
    """Give half the summed distance of two distributions: 0 equal, 1 disjoint."""
    return float(np.abs(share_K - other_K).sum() / 2)


def cell_variance(codes_R: IntArray, groups_R: IntArray | None, cells: int) -> FloatArray:
    """Estimate the variance of the share of each cell.

    Args:
        codes_R: Cell of each row, shape (R,), not empty.
        groups_R: Group of each row, numbered from 0; None where rows are independent.
        cells: Number of cells (K).

    Returns:
        Variance of each cell's share, shape (K,).
    """
    rows = len(codes_R)
    share_K = np.bincount(codes_R, minlength=cells) / rows
    if groups_R is None:
        independent_K: FloatArray = share_K * (1 - share_K) / rows
        return independent_K
    size_G = np.bincount(groups_R)
    held, count = _taken_places(groups_R * cells + codes_R, len(size_G) * cells)
    squares_K = np.bincount(held % cells, count**2, minlength=cells)
    crossed_K = np.bincount(held % cells, count * size_G[held // cells], minlength=cells)
    spread_K = squares_K - 2 * share_K * crossed_K + share_K**2 * (size_G**2).sum()
    variance_K: FloatArray = np.maximum(spread_K, 0) / rows**2
    return variance_K


def _taken_places(place_R: IntArray, places: int) -> tuple[IntArray, IntArray]:
    """Give the places that are taken, in order, and how often; counts where places are few, else sorts."""
    if places > _DENSE * len(place_R):
        return np.unique(place_R, return_counts=True)
    count = np.bincount(place_R)
    held = np.flatnonzero(count)
    return held, count[held]


def expected_distance(share_K: FloatArray, variance_K: FloatArray) -> float:
    """Give the total variation two samples have by chance, from the variance of their difference.

    Exact for large counts, an upper bound for rare cells; at most 0.9.
    """
    distance_K = np.minimum(np.sqrt(variance_K * 2 / np.pi), 2 * share_K)
    return min(float(distance_K.sum() / 2), _MOST_CHANCE)


def similarity(distance: float, chance: float) -> float:
    """Scale a distance: 1 at most what chance explains, 0 for disjoint distributions."""
    return min(1.0, (1 - distance) / max(1 - chance, 1e-9))


def distance_interval(
    share_K: FloatArray, other_K: FloatArray, *, sizes: tuple[float, float], seed: int
) -> tuple[float, float]:
    """Give the 95 % interval of the total variation of two truths, by redrawing both samples.

    Redrawing adds chance a second time; by as much the measured distance is too large already.

    Args:
        share_K: Shares in one sample, shape (K,).
        other_K: Shares in the other.
        sizes: Independent rows behind each.
        seed: Chooses the redraws.
    """
    rng = np.random.default_rng(seed)
    drawn_BK = [
        rng.multinomial(max(round(size), 1), share / share.sum(), size=_REDRAWS) / max(round(size), 1)
        for size, share in zip(sizes, (share_K, other_K), strict=True)
    ]
    redrawn_B = np.abs(drawn_BK[0] - drawn_BK[1]).sum(axis=1) / 2
    measured = total_variation(share_K, other_K)
    middle, half = 2 * measured - float(redrawn_B.mean()), 1.96 * float(redrawn_B.std())
    return max(0.0, min(middle - half, measured)), min(1.0, max(middle + half, measured, half))


def crossed(first_R: IntArray, second_R: IntArray, cells: tuple[int, int]) -> IntArray:
    """Give the joint cell of two coded columns, shape (R,)."""
    return first_R * cells[1] + second_R


def association(joint_JK: NDArray[np.float64], rows: int) -> float:
    """Give Cramér's V of a joint distribution, corrected for its bias in small samples.

    Sources:
        Bergsma, "A bias-correction for Cramér's V and Tschuprow's T", 2013.
    """
    left_J, right_K = joint_JK.sum(axis=1), joint_JK.sum(axis=0)
    joint_JK = joint_JK[left_J > 0][:, right_K > 0]
    expected_JK = np.outer(left_J[left_J > 0], right_K[right_K > 0])
    height, width = joint_JK.shape
    if min(height, width) < 2 or rows < 2:
        return 0.0
    phi = float(((joint_JK - expected_JK) ** 2 / expected_JK).sum())
    phi = max(0.0, phi - (height - 1) * (width - 1) / (rows - 1))
    height_corrected = height - (height - 1) ** 2 / (rows - 1)
    width_corrected = width - (width - 1) ** 2 / (rows - 1)
    return float(np.sqrt(phi / max(min(height_corrected, width_corrected) - 1, 1e-9)).clip(0, 1))


@dataclass(frozen=True)
class Distance:
    """How far one cell table is from another part's.

    Attributes:
        measured: Total variation, original against other part.
        chance: What two real samples of these sizes would have.
    """

    measured: float
    chance: float

    @property
    def similarity(self) -> float:
        """1 as near as another real sample, 0 disjoint."""
        return similarity(self.measured, self.chance)


def distances(parts: Sequence[IntArray], cells: int, groups_R: IntArray | None) -> list[Distance]:
    """Compare the cells of the original, which comes first, with those of every other part."""
    share_PK = [np.bincount(part, minlength=cells) / max(len(part), 1) for part in parts]
    variance_K = cell_variance(parts[0], groups_R, cells)
    return [
        Distance(
            total_variation(share_PK[0], share_K),
            expected_distance(share_PK[0], variance_K * (1 + len(parts[0]) / max(len(part), 1))),
        )
        for part, share_K in zip(parts[1:], share_PK[1:], strict=True)
    ]


@dataclass(frozen=True)
class Pair:
    """Two columns together.

    Attributes:
        distances: To each other part.
        independent: Total variation to the same columns, made independent.
        associations: Cramér's V in each part.
    """

    distances: list[Distance]
    independent: float
    associations: list[float]


def compare_pair(first: Binned, second: Binned, groups_R: IntArray | None) -> Pair:
    """Compare one pair of columns in all parts."""
    cells = (first.cardinality, second.cardinality)
    joint = [crossed(one, two, cells) for one, two in zip(first.parts, second.parts, strict=True)]
    shares = [np.bincount(part, minlength=cells[0] * cells[1]) / max(len(part), 1) for part in joint]
    product = np.outer(first.shares(0), second.shares(0)).ravel()
    return Pair(
        distances(joint, cells[0] * cells[1], groups_R),
        total_variation(shares[0], product),
        [association(share.reshape(cells), len(part)) for share, part in zip(shares, joint, strict=True)],
    )


def dependence_kept(pairs: Sequence[Pair], part: int) -> float:
    """Give the share of dependence another part kept: 0 as if columns were independent, 1 as real rows.

    Args:
        pairs: The pairs that count.
        part: Which of the other parts, from 0.

    Guarantees:
        Dependence smaller than chance, or below one hundredth for each pair, cannot cost the whole score.
    """
    found = [pair.distances[part] for pair in pairs]
    chance = sum(distance.chance for distance in found)
    independent = sum(max(p.independent, d.chance) for p, d in zip(pairs, found, strict=True))
    worth = max(independent - chance, chance, _WORTH_MODELLING * len(pairs))
    beyond = sum(distance.measured for distance in found) - chance
    return round(float(np.clip(1 - beyond / worth, 0, 1)), 4) if pairs else 1.0
