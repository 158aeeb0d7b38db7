"""Drawing evenly, against a slow reference, and its chances."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest

from kinsynth.engine.evenly import RUN, WINDOW, draw_evenly, even_uniforms, invert_evenly


def slow(chances, order, starts):
    """Halve codes by exact fractions, one row after the other; ``starts`` changes to where sums end."""
    codes = len(chances[0])
    found = [0] * len(chances)

    def halve(low, high, rows):
        if high - low == 1 or not rows:
            for row in rows:
                found[row] = low
            return
        middle = (low + high) // 2
        total, lower, upper = starts[middle], [], []
        for row in rows:
            whole = sum(chances[row][low:high])
            reached = total + sum(chances[row][low:middle]) / whole
            (lower if floor(reached) > floor(total) else upper).append(row)
            total = reached
        starts[middle] = total % 1
        halve(low, middle, lower)
        halve(middle, high, upper)

    halve(0, codes, order)
    return found


@pytest.mark.parametrize(("rows", "codes"), [(1, 1), (1, 5), (40, 2), (60, 7), (90, 16)])
def test_rows_get_the_codes_of_a_slow_reference_and_later_rows_go_on_from_there(rows, codes):
    rng = np.random.default_rng(rows)
    start_K = rng.random(codes + 1) * 0.9 + 0.05
    starts = [Fraction(float(one)) for one in start_K]
    for _ in range(3):
        check_slow(rng, rows, codes, start_K, starts)


def check_slow(rng, rows, codes, start_K, starts):
    weight = rng.integers(0, 4, (rows, codes)) + (np.arange(codes) == rng.integers(0, codes, rows)[:, None])
    chance_BK, uniform_B2 = weight / weight.sum(1, keepdims=True), rng.random((rows, 2))
    exact = [[Fraction(int(one), int(row.sum())) for one in row] for row in weight]
    order = np.argsort(uniform_B2[:, 0]).tolist()
    # The reference halves one code more, as drawing does, which stands for those that are not even: none.
    wanted = slow([[*row, Fraction(0)] for row in exact], order, starts)
    drawn = draw_evenly(chance_BK, np.ones(codes, dtype=np.bool_), uniform_B2, start_K)
    assert drawn.tolist() == wanted
    assert (chance_BK[np.arange(rows), drawn] > 0).all()


def test_each_row_keeps_its_chances_and_counts_vary_less():
    rng = np.random.default_rng(3)
    draws, rows, codes = 2_000, 50, 12
    chance_BK = rng.dirichlet(np.full(codes, 0.7), rows)
    even_K = np.arange(codes) >= 3
    drawn = np.array(
        [draw_evenly(chance_BK, even_K, rng.random((rows, 2)), rng.random(codes + 1)) for _ in range(draws)]
    )
    held_DBK = drawn[:, :, None] == np.arange(codes)
    error_BK = np.abs(held_DBK.mean(0) - chance_BK) / np.sqrt(chance_BK * (1 - chance_BK) / draws + 1e-9)
    assert error_BK.max() < 5, "of 600 normal deviates"
    variance_K, independent_K = held_DBK.sum(1).var(0), (chance_BK * (1 - chance_BK)).sum(0)
    assert (variance_K[even_K] < 0.75 * independent_K[even_K]).all()
    assert held_DBK[:, :, ~even_K].sum((1, 2)).var() < 0.75 * independent_K[~even_K].sum()


def test_equal_chances_give_equal_counts():
    rng = np.random.default_rng(4)
    chance_K = rng.dirichlet(np.full(30, 1.0))
    drawn = draw_evenly(
        np.tile(chance_K, (700, 1)), np.ones(30, dtype=np.bool_), rng.random((700, 2)), rng.random(31)
    )
    # At each of five halvings a count is rounded up or down; what was rounded before is halved about.
    assert np.abs(np.bincount(drawn, minlength=30) - 700 * chance_K).max() < 3


def test_rows_that_are_the_same_elsewhere_hold_codes_as_their_own_chances_say():
    rng = np.random.default_rng(8)
    rows, codes, kinds = 900, 40, 6
    kind_B, fine_B = rng.integers(0, kinds, rows), rng.integers(0, 200, rows)
    chance_BK = rng.dirichlet(np.full(codes, 1.0), kinds)[kind_B]
    even_K, lower = np.ones(codes, dtype=np.bool_), codes // 2
    held = []
    for _ in range(300):
        drawn = draw_evenly(
            chance_BK, even_K, rng.random((rows, 2)), rng.random(codes + 1), before=[fine_B, kind_B]
        )
        held.append(np.bincount(kind_B[drawn < lower], minlength=kinds))
    # The first halving parts just these codes: a sum over rows that stand together is rounded up or down.
    expected = np.bincount(kind_B, chance_BK[:, :lower].sum(1), kinds)
    assert np.abs(np.array(held) - expected).max() < 1 + 1e-9, "independent draws differ by up to 20"
    assert np.abs(np.mean(held, axis=0) - expected).max() < 5 * 0.5 / 300**0.5


def test_counts_over_many_small_steps_vary_as_little_as_over_one():
    rng = np.random.default_rng(6)
    chance_K, errors = rng.dirichlet(np.full(12, 1.0)), []
    for _ in range(100):
        start_K = rng.random(13)
        drawn = [
            draw_evenly(np.tile(chance_K, (3, 1)), np.ones(12, dtype=np.bool_), rng.random((3, 2)), start_K)
            for _ in range(60)
        ]
        errors.append(np.bincount(np.concatenate(drawn), minlength=12) - 180 * chance_K)
    # At each of four halvings a count is rounded up or down; independent draws vary by up to 45.
    assert np.var(errors, axis=0).max() < 2


def test_numbers_are_uniform_and_fill_every_part():
    drawn = even_uniforms(7, "a", np.arange(64 * WINDOW))
    assert (np.bincount((drawn * WINDOW).astype(int)) == 64).all()
    # The golden section leaves 64 points of a part at most 1.9 / 64 apart from each other.
    gaps = np.diff(np.sort(drawn))
    assert gaps.max() < 2 * 1.9 / (64 * WINDOW)
    assert 0 <= drawn.min() <= drawn.max() < 1


@pytest.mark.parametrize("rows", [32, 91, 150, 300])
def test_any_first_rows_are_spread_evenly(rows):
    """Whole runs fill [0, 1) evenly; of an unfinished one a random part is there."""
    share, left = 0.1, rows % RUN
    counts = [(even_uniforms(seed, "a", np.arange(rows)) < share).sum() for seed in range(300)]
    off = np.array(counts) - share * rows
    of_run = left * (1 - left / RUN) * share * (1 - share)
    whole = 0.25 * (rows // RUN).bit_count()  # each even part ends within one of its own parts
    assert np.square(off).mean() < 1.3 * (of_run + whole), "five standard errors of a variance are 0.4"
    assert np.square(off).mean() < 0.4 * rows * share * (1 - share)
    assert abs(off.mean()) < 5 * np.sqrt((of_run + whole) / 300)


def test_every_run_fills_every_part_once_in_random_order():
    drawn = even_uniforms(3, "a", np.arange(40 * RUN)).reshape(-1, RUN)
    order = (drawn * RUN).astype(int)
    assert (np.sort(order, axis=1) == np.arange(RUN)).all()
    # The part of a row says nothing of that of the next: the ends of 40 runs, each pair as likely.
    correlation = np.corrcoef(order[:, :-1].ravel(), order[:, 1:].ravel())[0, 1]
    assert abs(correlation + 1 / (RUN - 1)) < 5 / np.sqrt(order.size)


def test_numbers_depend_on_their_row_alone():
    whole = even_uniforms(7, "a", np.arange(5_000))
    for rows in (np.arange(250, 270), np.array([4_999]), np.array([1_000, 3, 2_047]), np.arange(0)):
        assert (even_uniforms(7, "a", rows) == whole[rows]).all()
    assert (even_uniforms(8, "a", np.arange(50)) != whole[:50]).any()


def test_codes_of_rows_with_the_same_chances_follow_even_numbers():
    rng = np.random.default_rng(5)
    chance_K, even_K = np.array([0.3, 0.0, 0.1, 0.2, 0.4]), np.array([True, True, False, False, True])
    number = np.arange(1_000)
    drawn = invert_evenly(chance_K, even_K, even_uniforms(1, "a", number), rng.random(1_000))
    count_K = np.bincount(drawn, minlength=5)
    assert np.abs(count_K - 1_000 * chance_K)[even_K].max() < 4
    assert count_K[1] == 0
    assert abs(count_K[2] - 100) < 5 * np.sqrt(300 * 2 / 9)
