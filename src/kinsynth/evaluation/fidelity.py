"""Fidelity: how near the distributions of single columns and of pairs are.

Distances are total variation. Two samples of the same truth already differ by chance; similarities are
therefore scaled so that 1 means: as near as another real sample of that size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kinsynth.evaluation.bins import Binned
from kinsynth.evaluation.variables import FloatArray, IntArray

_REDRAWS = 200
_WORTH_MODELLING = 0.01


def total_variation(share_K: FloatArray, other_K: FloatArray) -> float:
    """Give half the summed distance of two distributions: 0 equal, 1 disjoint."""
    return float(np.abs(share_K - other_K).sum() / 2)


def noise(share_K: FloatArray, rows: int, other_rows: int) -> float:
    """Give the total variation two independent samples of one distribution have by chance.

    Args:
        share_K: The distribution, shape (K cells,).
        rows: Size of one sample, above 0.
        other_rows: Size of the other.

    Returns:
        The expected distance: exact for large counts, an upper bound for rare cells.
    """
    deviation = np.sqrt(share_K * (1 - share_K) * (1 / rows + 1 / other_rows))
    return float(np.minimum(deviation * np.sqrt(2 / np.pi), 2 * share_K).sum() / 2)


def similarity(distance: float, chance: float) -> float:
    """Scale a distance: 1 at most what chance explains, 0 for disjoint distributions."""
    return min(1.0, (1 - distance) / max(1 - chance, 1e-9))


def similarity_interval(
    share_K: FloatArray, other_K: FloatArray, *, sizes: tuple[int, int], chance: float, seed: int
) -> tuple[float, float]:
    """Give the 95 % interval of a similarity, by redrawing both samples."""
    rng = np.random.default_rng(seed)
    drawn_BK = rng.multinomial(sizes[0], share_K / share_K.sum(), size=_REDRAWS) / sizes[0]
    drawn_BK = drawn_BK - rng.multinomial(sizes[1], other_K / other_K.sum(), size=_REDRAWS) / sizes[1]
    half_width = 1.96 * float(np.std(np.abs(drawn_BK).sum(axis=1) / 2)) / max(1 - chance, 1e-9)
    value = similarity(total_variation(share_K, other_K), chance)
    return max(0.0, value - half_width), min(1.0, value + half_width)


def crossed(first_R: IntArray, second_R: IntArray, cells: tuple[int, int]) -> FloatArray:
    """Give the joint distribution of two coded columns, flat, shape (K1 * K2,)."""
    counts = np.bincount(first_R * cells[1] + second_R, minlength=cells[0] * cells[1])
    return counts / max(len(first_R), 1)


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


class PairSums:
    """Distances of many pairs added up: synthetic, by chance, and if columns were independent."""

    def __init__(self) -> None:
        self.pairs = 0
        self.distance = 0.0
        self.chance = 0.0
        self.independent = 0.0

    def add(
        self, original: FloatArray, synthetic: FloatArray, independent: FloatArray, chance: float
    ) -> None:
        """Add one pair, given as flat joint distributions."""
        self.pairs += 1
        self.distance += total_variation(original, synthetic)
        self.chance += chance
        self.independent += max(total_variation(original, independent), chance)

    def kept(self) -> float:
        """Give the share of dependence that was kept: 0 as independent columns, 1 as real rows.

        Dependence below one hundredth for each pair is not worth a bad score.
        """
        if not self.pairs:
            return 1.0
        worth = max(self.independent - self.chance, _WORTH_MODELLING * self.pairs)
        return float(np.clip(1 - (self.distance - self.chance) / worth, 0, 1))


def pair_similarity(
    first: Binned, second: Binned, sums: PairSums, *, part: int, scale: float
) -> tuple[float, float, float]:
    """Compare one pair in the original and another part.

    Args:
        first: One column in cells.
        second: The other column.
        sums: Where distances are added up.
        part: The other part.
        scale: Factor on the noise for rows that come in groups, at least 1.

    Returns:
        Similarity, association in the original and in the other part.
    """
    cells = (first.cardinality, second.cardinality)
    original, other = (crossed(first.parts[p], second.parts[p], cells) for p in (0, part))
    sizes = (max(len(first.parts[0]), 1), max(len(first.parts[part]), 1))
    chance = min(scale * noise(original, *sizes), 0.9)
    independent = np.outer(first.shares(0), second.shares(0)).ravel()
    sums.add(original, other, independent, chance)
    return (
        similarity(total_variation(original, other), chance),
        association(original.reshape(cells), sizes[0]),
        association(other.reshape(cells), sizes[1]),
    )


def pair_matrices(
    columns: Sequence[Binned], *, part: int, scale: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """Compare every pair of columns.

    Returns:
        Similarity, association in the original and in the other part, each of shape (C, C), and the share
        of dependence kept.
    """
    width = len(columns)
    similar_CC, original_CC, other_CC = np.eye(width), np.eye(width), np.eye(width)
    sums = PairSums()
    for i in range(width):
        for j in range(i):
            values = pair_similarity(columns[i], columns[j], sums, part=part, scale=scale)
            for matrix, value in zip((similar_CC, original_CC, other_CC), values, strict=True):
                matrix[i, j] = matrix[j, i] = value
    return similar_CC, original_CC, other_CC, sums.kept()
