"""Measures of columns: the steps that values lie on."""

from __future__ import annotations

import numpy as np
import pytest

from kinsynth.columns.measure import find_lattice


@pytest.mark.parametrize("roots", [5, 6, 7, 8])
def test_few_roots_have_no_step_of_their_own(roots: int) -> None:
    """The difference of any few of so few values would otherwise be a step that all but a few lie on."""
    chance = np.random.default_rng(roots)
    for _ in range(50):
        tick_P = chance.choice(10_000, roots, replace=False)
        step, remainder = find_lattice(tick_P, np.arange(roots), minimum=5)
        assert step == 1 or (tick_P % step == remainder).sum() >= 5


def test_one_root_with_many_values_has_no_step() -> None:
    tick_P = np.array([3, 140, 277, 414, 11, 58, 1001, 80])
    assert find_lattice(tick_P, np.array([0, 0, 0, 0, 1, 2, 3, 4]), minimum=5) == (1, 0)


def test_five_roots_on_a_step_have_it() -> None:
    assert find_lattice(np.array([5, 10, 20, 35, 55]), np.arange(5), minimum=5) == (5, 0)
