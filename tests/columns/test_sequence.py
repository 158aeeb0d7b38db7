"""Order columns: order in time holds by construction, gaps and starts keep their shape."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.columns.line import FIRST
from kinsynth.columns.partition import Counts, Wishes, build_line
from kinsynth.columns.registry import codec_from_json
from kinsynth.columns.scale import END
from kinsynth.columns.sequence_fit import build_sequence
from kinsynth.columns.walk import (
    first_rows,
    state_ends,
)
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

RNG = np.random.default_rng(21)
PARENTS = 400
COUNTS = RNG.integers(0, 30, PARENTS)
PARENT = np.repeat(np.arange(PARENTS), COUNTS)
OPENED = RNG.integers(9_000, 11_000, PARENTS)


def summed(steps, parent=PARENT):
    """Add up the steps of each parent."""
    return np.concatenate([np.cumsum(steps[parent == one]) for one in range(parent.max() + 1)])


DAYS = summed(np.where(first_rows(PARENT), OPENED[PARENT] + 2, RNG.choice([0, 1, 7, 30], len(PARENT))))


def dates(days):
    return pa.array(days.astype(np.int32)).cast(pa.date32())


def build(values, anchor=None, parent=PARENT, **settings):
    return build_sequence(values, parent, parent, Column(**settings), Protection(), anchor=anchor)


def again(codec, values, anchor=None, parent=PARENT, seed=0):
    codes = codec.encode(values, parent, anchor)
    uniforms = np.random.default_rng(seed).random((len(parent), codec.draws))
    return codec.decode(codes, uniforms, parent, anchor)


def drawn(codec, anchor=None, seed=0):
    """Draw codes at random: the worst model there is."""
    rng = np.random.default_rng(seed)
    codes = [rng.integers(0, sub.cardinality, len(PARENT)) for sub in codec.sub_columns]
    return codec.decode(
        np.stack(codes, axis=1).astype(np.int32), rng.random((len(PARENT), codec.draws)), PARENT, anchor
    )


def falls(array, parent=PARENT):
    number = array.cast(pa.int32()).to_numpy(zero_copy_only=False).astype(float)
    step = np.diff(number)[~first_rows(parent)[1:]]
    return int((step < 0).sum())


def test_gaps_come_back_exactly():
    values = dates(DAYS)
    codec = build(values, dates(OPENED[PARENT]))
    assert codec.relative
    after = again(codec, values, dates(OPENED[PARENT]))
    # Moved are sequences that begin or end among the protected moments.
    kept = np.repeat(
        np.maximum.reduceat(DAYS, np.flatnonzero(first_rows(PARENT))) <= codec.high, COUNTS[COUNTS > 0]
    )
    assert kept.mean() > 0.9
    assert (after.cast(pa.int32()).to_numpy() == DAYS)[kept].mean() > 0.98


def test_starts_are_absolute_where_that_is_shorter():
    anchor = dates(RNG.integers(0, 30_000, PARENTS)[PARENT])
    codec = build(dates(DAYS), anchor)
    assert not codec.relative
    assert not build(dates(DAYS)).relative


@pytest.mark.parametrize("seed", range(5))
def test_any_codes_give_ascending_values(seed):
    assert falls(drawn(build(dates(DAYS)), seed=seed)) == 0


def test_tokens_say_where_they_do_not_apply():
    codec = build(dates(DAYS))
    codes = codec.encode(dates(DAYS), PARENT)
    first = first_rows(PARENT)
    starts = len(codec.sub_columns) - 2
    assert (codes[~first, 0] == 1).all()
    assert (codes[first, -1] == 1).all()
    assert not codec.sub_columns[0].forbidden_K[1]
    assert starts >= 1


def test_codes_stay_within_their_cardinality():
    codec = build(dates(DAYS))
    codes = codec.encode(dates(DAYS), PARENT)
    assert (codes < [sub.cardinality for sub in codec.sub_columns]).all()
    assert not [sub for sub in codec.sub_columns if sub.forbidden_K is not None and sub.forbidden_K.all()]


def test_missing_moments_stay_missing():
    values = dates(DAYS)
    mask = RNG.random(len(values)) < 0.1
    values = pa.array(values.to_pylist(), values.type, mask=mask)
    after = again(build(values), values)
    assert after.is_null().equals(values.is_null())
    assert again(build(values, missing="impute"), values).null_count == 0


@pytest.mark.parametrize(
    "values",
    [
        pa.array(2_000 + DAYS // 365),
        pa.array(DAYS * 86_400_000_000 + 3_600_000_000).cast(pa.timestamp("us", tz="UTC")),
        pa.array(DAYS * 86_400).cast(pa.timestamp("s")),
    ],
)
def test_years_and_moments(values):
    codec = build(values)
    after = again(codec, values)
    assert after.type == values.type
    assert after.null_count == 0
    number = after.cast(pa.int64()).to_numpy()
    assert (np.diff(number)[~first_rows(PARENT)[1:]] >= 0).all()


def test_bounds_and_refused_values_hold():
    codec = build(dates(DAYS), minimum="1996-01-01", maximum="1998-12-31", never=("1997-03-01",))
    after = drawn(codec).drop_null().to_pylist()
    assert min(after) >= dt.date(1996, 1, 1)
    assert max(after) <= dt.date(1998, 12, 31)
    assert dt.date(1997, 3, 1) not in after


def test_json():
    codec = build(dates(DAYS), dates(OPENED[PARENT]))
    made = codec_from_json(json.loads(json.dumps(codec.to_json())))
    assert made.to_json() == codec.to_json()
    assert again(made, dates(DAYS), dates(OPENED[PARENT])) == again(codec, dates(DAYS), dates(OPENED[PARENT]))


def test_no_rows_and_too_few():
    codec = build(dates(np.array([], dtype=int)), parent=np.array([], dtype=np.int64))
    assert len(again(codec, dates(np.array([], dtype=int)), parent=np.array([], dtype=np.int64))) == 0
    two = np.array([0, 1])
    codec = build(dates(np.array([5, 9])), parent=two)
    assert again(codec, dates(np.array([5, 9])), parent=two).null_count == 2


def test_a_missing_parents_moment_is_an_error_of_the_caller():
    codec = build(dates(DAYS), dates(OPENED[PARENT]))
    with pytest.raises(ValueError, match="parent's moments"):
        codec.encode(dates(DAYS), PARENT)


def month_ends(parents=300, rows=24, seed=4):
    """Give parents, opening days and rows: interest at every month's end, payments between."""
    rng = np.random.default_rng(seed)
    parent = np.repeat(np.arange(parents), rows)
    opened = rng.integers(9_000, 10_000, parents)
    month = opened.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)[:, None]
    month = month + 1 + np.arange(rows - 1) // 2
    ends = (month + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) - 1
    ends -= np.where(np.arange(rows - 1) % 2 == 0, rng.integers(3, 27, ends.shape), 0)
    return parent, opened, np.concatenate([opened[:, None], ends], axis=1).ravel()


def is_month_end(days):
    return (days + 1).astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(
        np.int64
    ) == days + 1


def numbers(array):
    return array.cast(pa.int32()).to_numpy().astype(np.int64)


def test_month_ends_stay_month_ends_though_the_parent_moves():
    parent, opened, days = month_ends()
    codec = build(dates(days), dates(opened[parent]), parent)
    assert (codec.start.unit, codec.gap.unit, codec.relative) == ("tick", "month", True)
    codes = codec.encode(dates(days), parent, dates(opened[parent]))
    uniforms = np.random.default_rng(0).random((len(parent), codec.draws))
    moved = opened + np.random.default_rng(1).integers(-12, 13, len(opened))
    after = numbers(codec.decode(codes, uniforms, parent, dates(moved[parent])))
    later = ~first_rows(parent)
    assert (is_month_end(after) == is_month_end(days))[later].mean() > 0.97
    assert (after == days)[later].mean() > 0.9


def test_dates_without_an_anchor_come_back():
    parent, _, days = month_ends()
    codec = build(dates(days), parent=parent)
    assert codec.start.unit == "month"
    # Only what lies beyond the protected extremes moves: 4 roots at each end.
    assert (numbers(again(codec, dates(days), parent=parent)) == days).mean() > 0.97


def test_workdays_stay_workdays():
    rng = np.random.default_rng(8)
    parent = np.repeat(np.arange(300), 15)
    count = np.cumsum(rng.geometric(0.4, (300, 15)), axis=1) + rng.integers(0, 200, 300)[:, None]
    days = np.busday_offset("2001-01-01", count.ravel()).astype("datetime64[D]").astype(np.int64)
    codec = build(dates(days), parent=parent)
    assert (codec.start.unit, codec.gap.unit) == ("week", "week")
    after = numbers(again(codec, dates(days), parent=parent))
    assert ((after + 3) % 7 < 5).mean() > 0.99
    assert (after == days).mean() > 0.9


def random_codes(codec, parent, anchor, seed):
    rng = np.random.default_rng(seed)
    codes = [rng.integers(0, sub.cardinality, len(parent)) for sub in codec.sub_columns]
    return codec.decode(
        np.stack(codes, axis=1).astype(np.int32), rng.random((len(parent), codec.draws)), parent, anchor
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("late", [0, 40])
def test_first_dates_do_not_precede_the_parent(seed, late):
    parent, opened, days = month_ends()
    days = days + late * np.random.default_rng(seed).integers(0, 2, len(opened))[parent]
    anchor = dates(opened[parent])
    codec = build(dates(days), anchor, parent)
    assert codec.follows
    after = numbers(random_codes(codec, parent, anchor, seed))
    within = (opened[parent] >= codec.low) & (opened[parent] <= codec.high)
    assert (after >= opened[parent])[within].all()
    assert falls(pa.array(after.astype(np.int32)), parent) == 0


def test_first_dates_may_precede_the_parent_where_they_do():
    parent, opened, days = month_ends()
    codec = build(dates(days - 9), dates(opened[parent]), parent)
    assert codec.relative
    assert not codec.follows
    assert (numbers(again(codec, dates(days - 9), dates(opened[parent]), parent)) < opened[parent]).any()


def test_moments_keep_day_and_time():
    parent, _, days = month_ends()
    minutes = days * 1_440 + 60 * np.random.default_rng(2).choice([9, 12, 18], len(days))
    values = pa.array(minutes * 60_000_000).cast(pa.timestamp("us", tz="UTC"))
    codec = build(values, parent=parent)
    assert codec.gap.unit == "month"
    assert codec.gap.time is not None
    after = again(codec, values, parent=parent)
    assert np.mean(np.array(after.cast(pa.int64())) == minutes * 60_000_000) > 0.95
    made = codec_from_json(json.loads(json.dumps(codec.to_json())))
    assert made.to_json() == codec.to_json()
    wild = np.array(random_codes(codec, parent, None, 0).cast(pa.int64()))
    assert (np.diff(wild)[~first_rows(parent)[1:]] >= 0).all()


def test_gaps_end_at_the_stretch_reached():
    parent, opened, days = month_ends()
    anchor = dates(opened[parent])
    codec = build(dates(days), anchor, parent)
    codes = codec.encode(dates(days), parent, anchor)
    gap = 1 + len(codec.start.sub_columns)
    codes[~first_rows(parent), gap] = codes[~first_rows(parent), gap].max()
    uniforms = np.random.default_rng(0).random((len(parent), codec.draws))
    after = codec.decode(codes, uniforms, parent, anchor)
    assert (numbers(after) == days).mean() > 0.97


def ending_at_once(gaps):
    """Give sequences with wide or narrow exact gaps that all are cut off on one day."""
    rng = np.random.default_rng(3)
    parent = np.repeat(np.arange(1_500), 6)
    days = rng.integers(9_800, 9_890, 1_500)[parent] + rng.choice(gaps, (1_500, 6)).cumsum(axis=1).ravel()
    kept = days <= 10_200
    return parent[kept], days[kept]


def shuffled_gaps(codec, values, parent):
    """Give codes of rows whose gaps belong to other rows, and the places of those gaps in the chain."""
    codes = codec.encode(values, parent)
    later, first = np.flatnonzero(~first_rows(parent)), len(codec.sub_columns) - len(codec.gap.sub_columns)
    codes[later, first:] = codes[np.random.default_rng(4).permutation(later), first:]
    return codes


def test_sequences_do_not_pile_up_on_the_last_day():
    parent, days = ending_at_once(np.arange(2, 160))
    codec = build(dates(days), parent=parent)
    assert codec.gap.unit == "tick"
    codes = shuffled_gaps(codec, dates(days), parent)
    uniforms = np.random.default_rng(5).random((len(parent), codec.draws))
    after = numbers(codec.decode(codes, uniforms, parent))
    later = ~first_rows(parent)
    share = np.mean(days[later] == days.max())
    assert (after == days.max())[later].mean() < share + 4 * np.sqrt(share / later.sum()) + 0.005
    low, high = state_ends(codec.reached)
    state = codes[:, len(codec.start.sub_columns)] - FIRST
    near = (after >= low[state] - codec.slack) & (after <= high[state] + codec.slack)
    assert near[later].mean() > 0.9
    assert (np.diff(after)[later[1:]] > 0).mean() > 0.99


def test_narrow_gaps_are_kept_whatever_stretch_is_reached():
    parent, days = ending_at_once(np.array([0, 1]))
    codec = build(dates(days), parent=parent)
    codes = shuffled_gaps(codec, dates(days), parent)
    uniforms = np.random.default_rng(6).random((len(parent), codec.draws))
    after = numbers(codec.decode(codes, uniforms, parent))
    later = ~first_rows(parent)
    assert codec.gap.unit == "tick"
    assert codec.slack >= 90
    assert set(np.diff(after)[later[1:]]) == {0, 1}


@pytest.mark.parametrize("unit", ["tick", "month"])
def test_no_single_roots_moment_is_stored(unit):
    parent, opened, days = month_ends() if unit == "month" else (PARENT, OPENED, DAYS)
    codec = build(dates(days), dates(opened[parent]) if unit == "month" else None, parent)
    minimum = Protection().rare_minimum
    opening = np.flatnonzero(first_rows(parent))
    places = codec.calendar.split(days[opening], codec.start.unit)
    counted = days[opening] - opened[parent[opening]] if codec.relative else places.period_R
    for line, ticks in ((codec.start.distance, counted), (codec.start.day, places.day_R)):
        if line is None:
            continue
        points = line.low_L[line.low_L == line.high_L]
        assert all((ticks == point).sum() >= minimum for point in points)


def test_days_of_one_month_drawn_out_of_order_keep_their_shares():
    parent, opened, days = month_ends()
    anchor = dates(opened[parent])
    codec = build(dates(days), anchor, parent)
    codes = codec.encode(dates(days), parent, anchor)
    later = ~first_rows(parent)
    day = codes.shape[1] - len(codec.gap.day.sub_columns)
    # Two rows of each month exchange their days.
    swapped = codes.copy()
    pairs = np.flatnonzero(later).reshape(-1, 23)[:, :22].reshape(-1, 2)
    swapped[pairs[:, 0], day:], swapped[pairs[:, 1], day:] = (
        codes[pairs[:, 1], day:],
        codes[pairs[:, 0], day:],
    )
    assert (swapped != codes).any()
    uniforms = np.random.default_rng(0).random((len(parent), codec.draws))
    assert (numbers(codec.decode(swapped, uniforms, parent, anchor)) == days).mean() > 0.97


def test_long_gaps_come_back_nearly_exactly():
    rng = np.random.default_rng(11)
    parent = np.repeat(np.arange(2_000), 6)
    opened = rng.integers(3_000, 3_090, 2_000)
    gaps = np.where(first_rows(parent), opened[parent], rng.geometric(0.01, len(parent)))
    days = np.cumsum(gaps.reshape(-1, 6), axis=1).ravel()
    codec = build(dates(days), parent=parent)
    assert codec.gap.unit == "tick"
    off = np.abs(numbers(again(codec, dates(days), parent=parent)) - days)
    # Gaps of over half a year share cells of a few days; their errors add up over five gaps.
    assert np.median(off) == 0
    assert np.quantile(off, 0.9) < 30


@pytest.mark.parametrize("kind", [pa.time32("s"), pa.time64("us")])
def test_times_of_day_can_order_rows(kind):
    seconds = np.concatenate([np.sort(RNG.integers(0, 86_400, count)) for count in COUNTS])
    number = pa.array(seconds * (1 if kind.unit == "s" else 1_000_000))
    times = (number.cast(pa.int32()) if kind.bit_width == 32 else number).cast(kind)
    codec = build(times)
    assert codec.decode(*_worst(codec)).type == kind
    found = again(codec, times).to_pylist()
    assert found == [found[row] for row in np.lexsort((np.array(found), PARENT))]


def _worst(codec):
    codes = np.stack([RNG.integers(0, sub.cardinality, len(PARENT)) for sub in codec.sub_columns], axis=1)
    return codes.astype(np.int32), RNG.random((len(PARENT), codec.draws)), PARENT, None


def test_the_stretch_reached_has_no_places_however_many_rows_there_are():
    rng = np.random.default_rng(0)
    parent = np.repeat(np.arange(4_000), 50)
    start = rng.integers(14_000, 15_000, 4_000)[parent]
    days = start + rng.integers(1, 60, (4_000, 50)).cumsum(axis=1).ravel()
    codec = build(dates(days), parent=parent)
    codes = codec.encode(dates(days), parent)
    assert codec.reached.places == 1
    assert (codes.max(axis=0) < [sub.cardinality for sub in codec.sub_columns]).all()
    read = codec_from_json(json.loads(json.dumps(codec.to_json())))
    assert (read.encode(dates(days), parent) == codes).all()
    low, high = state_ends(codec.reached)
    state = codes[:, len(codec.start.sub_columns)] - FIRST
    period = codec.calendar.split(days, codec.gap.unit).period_R
    assert ((period >= low[state]) & (period <= high[state])).mean() > 0.999


def test_lines_without_places_keep_states_and_classes():
    tick = np.random.default_rng(1).integers(0, 3_000, 200_000)
    root = np.arange(len(tick))
    line = build_line(Counts(tick, root, np.ones(len(tick), dtype=np.int64), False), Wishes(), Protection())
    flat, valid = line.without_places(), np.ones(len(tick), dtype=bool)
    assert line.places > 1
    codes, plain = line.encode(tick, valid), flat.encode(tick, valid)
    assert (codes[:, 0] == plain[:, 0]).all()
    assert plain.shape[1] == codes.shape[1] - 1
    low, high = state_ends(flat)
    drawn, _ = flat.decode(plain, np.random.default_rng(2).random(len(tick)))
    state = plain[:, 0] - FIRST
    assert ((drawn >= low[state]) & (drawn <= high[state])).all()


def test_rows_drawn_before_the_first_of_their_month_come_behind_it():
    rng = np.random.default_rng(5)
    parents, rows = 600, 24
    parent = np.repeat(np.arange(parents), rows)
    opened = rng.integers(9_000, 10_000, parents)
    month = opened.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)[:, None]
    day = rng.permuted(np.tile(np.arange(28), (parents, 1)), axis=1)[:, : rows - 1]
    later = (month + 1 + np.arange(rows - 1)).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    values = dates(np.concatenate([opened[:, None], later + np.minimum(day, 14)], axis=1).ravel())
    anchor = dates(opened[parent])
    codec = build(values, anchor, parent)
    assert (codec.start.unit, codec.gap.unit) == ("tick", "month")
    codes = codec.encode(values, parent, anchor)
    second = np.arange(parents) * rows + 1
    gap = codes.shape[1] - len(codec.gap.sub_columns)
    here = codec.gap.encode(
        codec.calendar.split(np.zeros(1, int), "tick"), np.ones(1, bool), applies_R=np.ones(1, bool)
    )
    codes[second, gap] = here[0, 0]  # in the month of the first row, on whatever day was drawn
    codes[second, gap - 1] = codes[second - 1, gap - 1]
    after = numbers(codec.decode(codes, rng.random((len(parent), codec.draws)), parent, anchor))
    first, then = after[second - 1], after[second]
    assert (first == opened).mean() > 0.98
    same = (first + 1).astype("datetime64[D]").astype("datetime64[M]") == then.astype("datetime64[D]").astype(
        "datetime64[M]"
    )
    assert same.mean() > 0.9
    assert (then > first)[same].mean() > 0.95
    assert np.diff(after.reshape(parents, rows), axis=1).min() >= 0


def test_no_rows_pile_up_at_the_end():
    rng = np.random.default_rng(5)
    parents, rows = 300, 40
    parent = np.repeat(np.arange(parents), rows)
    start = rng.integers(0, 100_000, parents)
    ticks = (start[:, None] + np.cumsum(rng.integers(1, 60, (parents, rows)), axis=1)).ravel()
    values = pa.array(ticks * 1_000_000).cast(pa.timestamp("us"))
    codec = build(values, parent=parent)
    assert codec.gap.unit == "tick"
    codes = codec.encode(values, parent)
    uniforms = np.random.default_rng(0).random((len(parent), codec.draws))
    after = codec.decode(codes, uniforms, parent).cast(pa.int64()).to_numpy()
    assert after.max() <= codec.high * 1_000_000
    assert np.unique(after[parent == parent], return_counts=True)[1].max() <= 8
    np.testing.assert_array_equal(
        np.diff(after.reshape(parents, rows)), np.diff(ticks.reshape(parents, rows)) * 1_000_000
    )


def test_first_rows_beyond_the_last_month_fold_back():
    """Of a month that ends early all days are drawn: those behind the end stand in for days before it."""
    rng = np.random.default_rng(7)
    parents = 600
    parent = np.repeat(np.arange(parents), 2)
    first = rng.integers(10_000, 10_000 + 100, parents)
    values = dates((first[:, None] + np.array([0, 3])).ravel())
    codec = build(values, parent=parent)
    assert codec.start.unit in ("week", "month")
    codes = codec.encode(values, parent).copy()
    opens = first_rows(parent)
    last = codes[opens, 0].max()
    codes[opens, 0] = last
    for place in range(1, len(codec.start.sub_columns)):
        codes[opens, place] = rng.integers(0, codec.sub_columns[place].cardinality, parents)
    uniforms = np.random.default_rng(0).random((len(parent), codec.draws))
    after = codec.decode(codes, uniforms, parent).cast(pa.int32()).to_numpy()[opens]
    assert np.bincount(after - after.min()).max() < parents / 4


@pytest.mark.parametrize("seed", range(3))
def test_moments_to_the_microsecond_that_lie_before_their_parents_first_move_behind_it(seed):
    parent, _, days = month_ends()
    micros = days * 86_400_000_000 + np.random.default_rng(2).integers(0, 86_400_000_000, len(days))
    codec = build(pa.array(micros).cast(pa.timestamp("us")), parent=parent)
    assert codec.gap.unit == "month"
    assert codec.scale.unit_us == 1
    after = np.array(random_codes(codec, parent, None, seed).cast(pa.int64()))
    assert (np.diff(after)[~first_rows(parent)[1:]] >= 0).all()
    assert ((after >= codec.low) & (after <= codec.high)).all()


@pytest.mark.parametrize("seed", range(3))
def test_refused_last_days_do_not_lead_beyond_them(seed):
    codec = build(dates(DAYS), maximum="1998-12-31", never=("1998-12-31", "1998-12-30", "1997-03-01"))
    after = drawn(codec, seed=seed)
    assert max(after.drop_null().to_pylist()) == dt.date(1998, 12, 29)
    assert falls(after) == 0


def test_a_missing_first_row_leaves_an_overrunning_sequence_behind_its_anchor():
    rng = np.random.default_rng(0)
    parent, opened = np.repeat(np.arange(300), 4), rng.integers(5_000, 5_400, 300)
    ticks = opened[parent] + np.cumsum(rng.choice([1, 250], (300, 4)), axis=1).ravel()
    ticks = pa.array(ticks, mask=(np.arange(len(ticks)) % 4 == 0) & (parent % 2 == 0))
    anchor = pa.array(opened[parent])
    codec = build(ticks, anchor, parent)
    assert (codec.relative, codec.follows, codec.gap.unit, codec.slack) == (True, True, "tick", END)
    codes = codec.encode(ticks, parent, anchor)
    late = pa.array(np.full(len(parent), codec.high - 5))
    after = codec.decode(codes, rng.random((len(parent), codec.draws)), parent, late)
    assert after.is_null().equals(ticks.is_null())
    assert min(after.drop_null().to_pylist()) >= codec.high - 5
    assert max(after.drop_null().to_pylist()) <= codec.high
