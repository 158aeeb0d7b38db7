"""Round ticks and round ends of ranges, beside the slow way."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kinsynth.columns.lattice import (
    NEW_MONTH,
    NEW_YEAR,
    calendar_classes,
    count_members,
    find_base,
    is_held,
    nth_member,
    round_ends,
    roundest,
    roundest_between,
    shared_mass,
)


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


@given(
    st.integers(-40_000, 40_000),
    st.integers(0, 900),
    st.sampled_from([NEW_YEAR, NEW_MONTH, (7, 3), (1, 0), (-3, 1)]),
)
def test_members_of_a_class_are_the_days_that_it_holds(low: int, width: int, one: tuple[int, int]) -> None:
    days = np.arange(low, low + width + 1)
    held = days[is_held(days, one)]
    low_L, modulus_L, remainder_L = (np.full(len(held) + 1, value) for value in (low, *one))
    assert count_members(low_L[:1], low_L[:1] + width, modulus_L[:1], remainder_L[:1]).tolist() == [len(held)]
    drawn = nth_member(low_L, np.arange(len(held) + 1), modulus_L, remainder_L)
    assert drawn[:-1].tolist() == held.tolist()
    assert drawn[-1] > low + width


def test_first_days_are_classes_only_where_they_are_frequent() -> None:
    rng = np.random.default_rng(3)
    days = rng.integers(-15_000, 10_000, 2_000)
    month = days.astype("datetime64[D]").astype("datetime64[M]")
    first = month.astype("datetime64[D]").astype(np.int64)
    year = month.astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)

    def found(tick: np.ndarray) -> tuple[tuple[int, int], ...]:
        return calendar_classes(*np.unique(tick, return_counts=True))

    some = np.arange(2_000) % 5 == 0
    assert found(days) == ()
    assert found(np.where(some, first, days)) == (NEW_MONTH,)
    assert found(np.where(some, year, days)) == (NEW_YEAR,)
    assert found(np.where(some, year, np.where(np.roll(some, 1), first, days))) == (NEW_YEAR, NEW_MONTH)
