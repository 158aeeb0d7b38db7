"""Rows on circles are counted, those that lead into one are not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.certificate.circle import count_circular, count_on_circles


@pytest.mark.parametrize(
    ("following", "circular"),
    [([], 0), ([-1], 0), ([0], 1), ([1, 0], 2), ([1, 2, -1], 0), ([1, 2, 1, 2], 2), ([-1, 0, 3, 4, 2, 5], 4)],
)
def test_circles_are_counted(following: list[int], circular: int) -> None:
    assert count_on_circles(np.array(following, np.int64)) == circular


def test_a_long_chain_has_no_circle_and_its_closing_has_one() -> None:
    rows = 5_000
    following = np.arange(1, rows + 1)
    following[-1] = -1
    assert count_on_circles(following) == 0
    following[-1] = 3
    assert count_on_circles(following) == rows - 3


def walk(following: list[int]) -> int:
    """Count in the plainest way: follow every row until it stops or comes back to itself."""
    found = 0
    for start in range(len(following)):
        row = following[start]
        for _ in following:
            if row in (-1, start):
                break
            row = following[row]
        found += row == start
    return found


@pytest.mark.parametrize("seed", range(30))
def test_circles_agree_with_a_walk(seed: int) -> None:
    generator = np.random.default_rng(seed)
    rows = int(generator.integers(1, 40))
    following = generator.integers(-1, rows, rows)
    assert count_on_circles(following) == walk(following.tolist())


def test_keys_lead_the_way() -> None:
    ids, bosses = pa.chunked_array([["a", "b", "c", "d"]]), pa.chunked_array([[None, "c", "b", "gone"]])
    assert count_circular([bosses], [ids]) == 2
