"""Rows of parents along a line: every fast walk equals a slow loop."""

from __future__ import annotations

import numpy as np

from kinsynth.columns.walk import Stretches, ascend_by_parent, sort_within, split_ticks, walk_by_parent

RNG = np.random.default_rng(21)


def test_splitting_equals_a_slow_loop():
    for _ in range(30):
        rows = int(RNG.integers(0, 40))
        parent = np.sort(RNG.integers(0, 6, rows))
        tick, valid = RNG.integers(0, 100, rows), RNG.random(rows) < 0.7
        opens, gap = split_ticks(tick, valid, parent)
        last = {}
        for row in range(rows):
            if not valid[row]:
                assert not opens[row]
                continue
            assert opens[row] == (parent[row] not in last)
            assert gap[row] == (max(tick[row] - last[parent[row]], 0) if parent[row] in last else 0)
            last[parent[row]] = tick[row]


def test_walking_equals_a_slow_loop():
    for _ in range(30):
        rows = int(RNG.integers(0, 40))
        parent = np.sort(RNG.integers(0, 6, rows))
        valid = RNG.random(rows) < 0.8
        opens, _ = split_ticks(np.zeros(rows, dtype=np.int64), valid, parent)
        step = np.where(valid, RNG.integers(0, 9, rows), 0)
        low = RNG.integers(0, 30, rows)
        high = low + RNG.integers(0, 9, rows)
        low, high = np.where(valid, low, -99), np.where(valid, high, 99)
        uniform, slack, end = RNG.random(rows), int(RNG.integers(0, 4)), int(RNG.integers(20, 40))
        walked = walk_by_parent(step, opens, Stretches(low, high, uniform, slack, end), parent)
        at = dict.fromkeys(range(6), 0)
        for row in range(rows):
            before = at[parent[row]]
            moved = before + step[row]
            first = before + min(step[row], 1)
            top = end if slack and high[row] < first else high[row]
            if not low[row] - slack <= moved <= min(top + slack, end):
                begin = max(low[row], first)
                moved = begin + int(uniform[row] * (top - begin + 1)) if first <= top else before
            at[parent[row]] = step[row] if opens[row] else moved
            assert walked[row] == at[parent[row]]


def test_ascending_equals_a_slow_loop():
    for _ in range(30):
        rows = int(RNG.integers(1, 40))
        parent = np.sort(RNG.integers(0, 6, rows))
        tick, valid = RNG.integers(-50, 50, rows), RNG.random(rows) < 0.7
        raised = ascend_by_parent(tick, valid, parent)
        for row in np.flatnonzero(valid):
            before = (parent == parent[row]) & valid & (np.arange(rows) <= row)
            assert raised[row] == tick[before].max()


def test_sorting_equals_a_slow_loop():
    for _ in range(30):
        rows = int(RNG.integers(0, 40))
        one, two = np.sort(RNG.integers(0, 4, rows)), np.zeros(rows, dtype=np.int64)
        tick, moved = RNG.integers(0, 99, rows), RNG.random(rows) < 0.6
        expected = tick.copy()
        for key in range(4):
            expected[(one == key) & moved] = np.sort(tick[(one == key) & moved])
        assert (sort_within(tick, moved, (one, two)) == expected).all()
