"""Round ticks and round ends of ranges, beside the slow way."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kinsynth.columns.lattice import find_base, round_ends, roundest, roundest_between, shared_mass


def slow_roundest(low: int, high: int) -> int:
    inside = range(low + 1, high)
    return max(inside, key=lambda tick: (zeros(tick), tick), default=high)


def zeros(tick: int) -> int:
    return 99 if tick == 0 else len(str(tick)) - len(str(tick).rstrip("0"))


@given(st.integers(-3_000, 3_000), st.integers(0, 400))
def test_roundest_is_what_trying_all_finds(low: int, width: int) -> None:
    expected = slow_roundest(low, low + width)
    assert roundest(np.array([low]), np.array([low + width])).tolist() == [expected]
    assert roundest_between(low, low + width) == expected


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 300)), min_size=1, max_size=12), st.data())
def test_ends_keep_apart_and_are_nobodys_own_where_there_is_room(
    steps: list[tuple[int, int]], data: st.DataObject
) -> None:
    gap, length = np.array(steps).T
    first = np.cumsum(gap + np.append(0, length[:-1]))
    last = first + length
    reach = np.array(data.draw(st.lists(st.integers(1, 50), min_size=len(steps), max_size=len(steps))))
    low, high = round_ends(first, last, reach)
    assert (low <= first).all()
    assert (high >= last).all()
    assert (low[1:] > high[:-1]).all()
    assert (first - low <= reach).all()
    assert (high - last <= reach).all()
    room = first[1:] - last[:-1] > 2
    assert not (room & ((low[1:] == first[1:]) | (high[:-1] == last[:-1]))).any()


def test_a_lattice_that_only_few_roots_keep_is_none() -> None:
    tick_D, rows_D = np.arange(0, 1000, 10), np.ones(100, int)
    kept = find_base(tick_D, rows_D, chain=(10,), is_few=lambda part_D: not part_D.any())
    assert kept == (10, 0)
    assert find_base(tick_D, rows_D, chain=(10,), is_few=lambda part_D: True) == (1, 0)


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), min_size=2, max_size=2), st.integers(0, 3))
def test_no_mass_is_lost_by_rounding(mass: int, members: list[int], cut: int) -> None:
    whole = sum(members) + cut
    if not whole:
        return
    parts = shared_mass(np.array([mass]), np.array(members)[:, None], np.array([whole]))[:, 0]
    exact = [mass * count / whole for count in members]
    assert (parts >= 1).all()
    assert all(abs(part - share) <= 1 for part, share in zip(parts, exact, strict=True))
    if min(exact) >= 1:
        assert abs(parts.sum() - sum(exact)) <= 0.5 + 1e-6 * mass / whole
