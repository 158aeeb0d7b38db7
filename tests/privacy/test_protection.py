"""Value protection: a test for each promise, against slow obvious versions."""

from __future__ import annotations

import numpy as np
import pytest

from kinsynth.privacy.protection import (
    Holders,
    OwnRoots,
    count_roots,
    extremes,
    group_until_safe,
    has_few_roots,
    number_of_roots,
)


def test_count_roots_equals_sets():
    rng = np.random.default_rng(0)
    for _ in range(50):
        rows = int(rng.integers(0, 60))
        code, root = rng.integers(-1, 6, rows), rng.integers(0, 9, rows)
        expected = [len(set(root[code == one])) for one in range(6)]
        assert count_roots(code, root, codes=6).tolist() == expected


def test_extremes_leave_enough_roots_beyond():
    rng = np.random.default_rng(1)
    for _ in range(50):
        rows, minimum = int(rng.integers(20, 80)), int(rng.integers(1, 6))
        value, root = rng.normal(size=rows), rng.integers(0, 30, rows)
        if len(set(root)) < minimum:
            continue
        low, high = extremes(value, root, minimum=minimum)
        assert len(set(root[value <= low])) >= minimum
        assert len(set(root[value >= high])) >= minimum
        assert len(set(root[value < low])) < minimum
        assert len(set(root[value > high])) < minimum


def test_extremes_of_too_few_roots_are_refused():
    with pytest.raises(ValueError, match="2 roots"):
        extremes(np.array([1, 2, 3]), np.array([0, 0, 1]), minimum=3)


def test_groups_end_safe_and_stay_in_order():
    rng = np.random.default_rng(2)
    for _ in range(50):
        values = int(rng.integers(1, 30))
        value, root = (
            np.concatenate([np.arange(values), rng.integers(0, values, 60)]),
            rng.integers(0, 40, values + 60),
        )
        group = group_until_safe(np.arange(values), value, root, minimum=5)
        assert (np.diff(group) >= 0).all()
        assert (np.diff(group) <= 1).all()
        assert group[0] == 0
        for one in range(int(group[-1]) + 1):
            assert len(set(root[group[value] == one])) >= 5 or group[-1] == 0


def test_few_roots_are_counted_by_root_whatever_the_order():
    rng = np.random.default_rng(4)
    for _ in range(50):
        held, roots = rng.random(9_000) < 0.5, rng.integers(0, rng.integers(1, 12), 9_000)
        late = np.concatenate([np.zeros(6_000, dtype=np.int64), roots])
        both = np.concatenate([np.ones(6_000, dtype=bool), held])
        for owner, mask in ((roots, held), (late, both)):
            assert has_few_roots(mask, owner, minimum=5) == (len(set(owner[mask].tolist())) < 5)


def test_own_roots_are_protected_as_numbered_ones():
    rng = np.random.default_rng(5)
    for _ in range(50):
        values, minimum = int(rng.integers(3, 30)), int(rng.integers(1, 6))
        value, rows = rng.permutation(values), rng.integers(1, 4, values)
        own, numbered = OwnRoots(rows), np.arange(rows.sum())
        each, code = np.repeat(value, rows), rng.integers(-1, 6, values)
        assert number_of_roots(own) == number_of_roots(numbered)
        counted = count_roots(np.repeat(code, rows), numbered, codes=6)
        assert count_roots(code, own, codes=6).tolist() == counted.tolist()
        held = rng.random(values) < 0.2
        assert has_few_roots(held, own, minimum=minimum) == has_few_roots(
            np.repeat(held, rows), numbered, minimum=minimum
        )
        if rows.sum() >= minimum:
            assert extremes(value, own, minimum=minimum) == extremes(each, numbered, minimum=minimum)


def test_extremes_of_too_few_own_roots_are_refused():
    with pytest.raises(ValueError, match="3 roots"):
        extremes(np.array([1, 2]), OwnRoots(np.array([2, 1])), minimum=4)


def test_of_several_units_the_least_number_and_the_tightest_bound_count():
    rng = np.random.default_rng(5)
    for _ in range(50):
        rows = int(rng.integers(40, 80))
        code, value = rng.integers(-1, 6, rows), rng.normal(size=rows)
        units = tuple(rng.integers(0, most, rows) for most in (9, 30))
        holders = Holders(units)
        counts = [count_roots(code, one, codes=6) for one in units]
        assert count_roots(code, holders, codes=6).tolist() == np.min(counts, axis=0).tolist()
        assert number_of_roots(holders) == min(len(set(one)) for one in units)
        low, high = extremes(value, holders, minimum=4)
        for one in units:
            assert len(set(one[value <= low])) >= 4 <= len(set(one[value >= high]))
        held = rng.random(rows) < 0.2
        assert has_few_roots(held, holders, minimum=5) == (number_of_roots(holders[held]) < 5)


def test_groups_are_safe_by_every_unit():
    rng = np.random.default_rng(6)
    value = np.concatenate([np.arange(30), rng.integers(0, 30, 200)])
    holders = Holders((rng.integers(0, 12, 230), rng.integers(0, 90, 230)))
    group = group_until_safe(np.arange(30), value, holders, minimum=5)
    assert (count_roots(group[value], holders, codes=int(group[-1]) + 1) >= 5).all()
    assert group[-1] > 0
