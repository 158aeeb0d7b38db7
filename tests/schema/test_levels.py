"""Depths of rows that point at rows of their own table, circles cut."""

from __future__ import annotations

import numpy as np
import pytest

from kinsynth.schema.levels import find_levels


def slow(row_R: list[int]) -> tuple[list[int], list[bool]]:
    """Follow every row step by step; a circle is cut at its smallest row."""
    levels, circular = [], []
    for start in range(len(row_R)):
        seen, row = [start], start
        while row_R[row] >= 0 and row_R[row] != row and row_R[row] not in seen:
            row = row_R[row]
            seen.append(row)
        ahead = row_R[row]
        ring = seen[seen.index(ahead) :] if ahead >= 0 and ahead != row else []
        circular.append(start in ring)
        levels.append(seen.index(min(ring)) if ring else len(seen) - 1)
    return levels, circular


@pytest.mark.parametrize("seed", range(60))
def test_levels_agree_with_following_every_row(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(0, 40))
    row_R = rng.integers(-1 - seed % 5, rows, rows).clip(-1)
    found = find_levels(row_R.astype(np.int64))
    levels, circular = slow(row_R.tolist())
    assert found.level_R.tolist() == levels
    assert found.circular_R.tolist() == circular
    assert set(np.flatnonzero(found.cut_R)) <= set(np.flatnonzero(found.circular_R))
    cut = np.where(found.cut_R | (row_R == np.arange(rows)), -1, row_R)
    below = cut >= 0
    assert (found.level_R[below] == found.level_R[cut[below]] + 1).all()
    assert (found.level_R[~below] == 0).all()


def test_a_long_chain_is_deep() -> None:
    row_R = np.arange(200_000, dtype=np.int64) - 1
    assert find_levels(row_R).level_R.tolist() == list(range(200_000))
