"""Calendars: months end on day 31, units undo themselves, the shorter code is chosen."""

from __future__ import annotations

import numpy as np
import pytest

from kinsynth.columns.calendar import Calendar, code_length, moment_bits, spread_bits
from kinsynth.columns.scale import DAY_US, DayScale, MomentScale, NumberScale

RNG = np.random.default_rng(5)
PARENT = np.repeat(np.arange(400), 20)


def walked(steps, parents=400):
    begin = RNG.integers(9_000, 11_000, parents)
    return (begin[:, None] + np.cumsum(steps, axis=1)).ravel()


def chosen(day):
    """Choose the unit of the gaps of 400 parents with 20 rows each."""
    later = np.flatnonzero(PARENT[1:] == PARENT[:-1]) + 1
    return Calendar(1).choose_unit(day[later - 1], day[later], PARENT[later])


@pytest.mark.parametrize("unit", ["tick", "day", "week", "month"])
@pytest.mark.parametrize("per_day", [1, 24, DAY_US])
def test_join_undoes_split(unit, per_day):
    tick = RNG.integers(-30_000 * per_day, 30_000 * per_day, 5_000)
    calendar = Calendar(per_day)
    assert (calendar.join(calendar.split(tick, unit), unit) == tick).all()


def test_every_month_ends_on_day_31():
    calendar = Calendar(1)
    first = np.arange(600).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    assert (calendar.split(first, "month").day_R == 1).all()
    assert (calendar.split(first - 1, "month").day_R == 31).all()


def test_days_ascend_within_a_month():
    day = np.arange(-1_000, 20_000)
    place = Calendar(1).split(day, "month")
    same = np.diff(place.period_R) == 0
    assert (np.diff(place.day_R)[same] > 0).all()


def test_scales_have_their_ticks_of_a_day():
    assert Calendar.of(DayScale("date32[day]")).per_day == 1
    assert Calendar.of(DayScale("date32[day]", "month")).per_day == 0
    assert Calendar.of(NumberScale("int64")).per_day == 0
    assert Calendar.of(MomentScale("timestamp[us]", 60_000_000)).per_day == 1_440


def test_month_ends_are_counted_in_months():
    month = np.arange(300, 320)[None, :] + RNG.integers(0, 30, 400)[:, None]
    end = (month + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) - 1
    stray = RNG.random(end.shape) < 0.4
    assert chosen(np.sort(end - stray * RNG.integers(0, 28, end.shape), axis=1).ravel()) == "month"


def test_workdays_are_counted_in_weeks():
    count = np.cumsum(RNG.geometric(0.4, (400, 20)), axis=1) + RNG.integers(0, 1_000, 400)[:, None]
    day = np.busday_offset("1995-01-02", count).astype("datetime64[D]").astype(np.int64)
    assert chosen(day.ravel()) == "week"


@pytest.mark.parametrize(
    "steps",
    [
        RNG.geometric(0.15, (400, 20)) - 1,
        np.full((400, 20), 30),
        7 * RNG.geometric(0.5, (400, 20)),
        RNG.choice([0, 1, 7, 30], (400, 20)),
    ],
    ids=["chance", "every 30 days", "weekly", "few distances"],
)
def test_distances_are_counted_exactly_where_the_calendar_tells_nothing(steps):
    assert chosen(walked(steps)) == "tick"


def test_office_hours_are_counted_in_days():
    day = walked(RNG.geometric(0.2, (400, 20)))
    minute = day * 1_440 + RNG.choice([9, 10, 17], len(day)) * 60 + RNG.integers(0, 60, len(day))
    later = np.flatnonzero(PARENT[1:] == PARENT[:-1]) + 1
    assert Calendar(1_440).choose_unit(minute[later - 1], minute[later], PARENT[later]) == "day"
    any_time = np.sort((day * 1_440 + RNG.integers(0, 1_440, len(day))).reshape(400, 20), axis=1).ravel()
    exact = (any_time.reshape(400, 20)[:, :1] + np.cumsum(np.full((400, 20), 1_000), axis=1)).ravel()
    assert Calendar(1_440).choose_unit(exact[later - 1], exact[later], PARENT[later]) == "tick"


def test_code_length_is_entropy_for_many_rows():
    symbol = RNG.integers(0, 8, 80_000)
    context = RNG.integers(0, 4, 80_000)
    known = np.arange(80_000) % 2 == 0
    # Half the rows measure 3 bits; what 8 codes in 4 contexts cost to learn is below 32 * log2(n) / n.
    assert abs(code_length(symbol, context, known) - 3) < 0.02
    assert code_length(context, context, known) < 0.02


def test_too_few_roots_decide_nothing():
    one = np.zeros(50, dtype=np.int64)
    assert Calendar(1).choose_unit(one, np.arange(50), one) == "tick"
    assert Calendar(1).choose_absolute(np.arange(50), one) == "tick"


def test_spread_bits_are_entropy_for_many_rows():
    number, known = RNG.integers(0, 4_096, 80_000), np.arange(80_000) % 2 == 0
    # 200 cells of 200 rows each: what they cost to learn is below 200 * log2(n) / n, rounding as much.
    assert abs(spread_bits(number, known) - 12) < 0.1
    assert spread_bits(np.full(80_000, 7), known) == pytest.approx(0, abs=1e-3)
    half = np.where(RNG.random(80_000) < 0.5, 0, 1 + number)  # a bit says which half, the other half 12 more
    assert abs(spread_bits(half, known) - 7) < 0.15


def test_a_moment_is_told_by_the_shorter_of_its_codes():
    known = np.arange(20_000) % 2 == 0
    day, minute = RNG.integers(0, 1_000, 20_000), RNG.choice([540, 600, 1_020], 20_000)
    apart = moment_bits(day * 1_440 + minute, known, 1_440)
    assert abs(apart - np.log2(1_000) - np.log2(3)) < 0.2
    first = (np.arange("2000", "2030", dtype="datetime64[M]").astype("datetime64[D]")).astype(np.int64)
    assert abs(moment_bits(RNG.choice(first, 20_000), known, 1) - np.log2(len(first))) < 0.2
