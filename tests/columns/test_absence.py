"""Absences: long gaps end on a day and at a time of day, short ones stay exact."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.columns.absence import LONG, Absences, are_told
from kinsynth.columns.registry import codec_from_json
from kinsynth.columns.sequence_fit import build_sequence
from kinsynth.columns.step import NOT_APPLICABLE
from kinsynth.columns.walk import first_rows, split_ticks
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

DAY = 86_400
VISITS, ROWS = 4, 5


def evenings(people=300, *, low=18, high=23, seed=3):
    """Make people who come back some days later at some hour and leave some rows seconds apart."""
    rng = np.random.default_rng(seed)
    day_PV = 10_000 + rng.integers(0, 60, (people, 1)) + rng.integers(1, 30, (people, VISITS)).cumsum(axis=1)
    begin_PV = day_PV * DAY + rng.integers(low * 3_600, high * 3_600, (people, VISITS))
    wait_PVR = rng.choice([0, 0, 20, 45, 90], (people, VISITS, ROWS))
    wait_PVR[:, :, 0] = 0
    second_R = (begin_PV[:, :, None] + wait_PVR.cumsum(axis=2)).ravel()
    return second_R, np.repeat(np.arange(people), VISITS * ROWS)


def moments(second_R):
    return pa.array(second_R).cast(pa.timestamp("s"))


def build(second_R, parent_R, **settings):
    return build_sequence(moments(second_R), parent_R, parent_R, Column(**settings), Protection())


def decode(codec, codes, parent_R, seed=0):
    uniforms = np.random.default_rng(seed).random((len(parent_R), codec.draws))
    return codec.decode(codes, uniforms, parent_R).cast(pa.int64()).to_numpy(zero_copy_only=False)


def gaps_of(second_R, parent_R):
    everywhere = np.ones(len(second_R), dtype=np.bool_)
    return split_ticks(second_R, everywhere, parent_R)


def test_rows_come_back_at_the_hours_of_the_source():
    second, parent = evenings()
    codec = build(second, parent)
    assert codec.gap.parts_absences
    after = decode(codec, codec.encode(moments(second), parent), parent)
    opens, gap = gaps_of(after, parent)
    back = ~opens & (gap >= DAY // LONG)
    assert back.sum() == 300 * (VISITS - 1)
    hour = after[back] % DAY // 3_600
    assert ((hour >= 17) & (hour <= 23)).all()


def test_hours_hold_where_the_model_knows_nothing_else():
    second, parent = evenings()
    codec = build(second, parent)
    codes, rng = codec.encode(moments(second), parent), np.random.default_rng(5)
    opens, gap = gaps_of(second, parent)
    back = np.flatnonzero(~opens & (gap >= DAY // LONG))
    codes[back] = codes[rng.permutation(back)]
    after = decode(codec, codes, parent)
    opens, gap = gaps_of(after, parent)
    hour = after[~opens & (gap >= DAY // LONG)] % DAY // 3_600
    assert ((hour >= 17) & (hour <= 23)).mean() > 0.99


def test_where_all_hours_are_alike_gaps_are_exact():
    second, parent = evenings(low=0, high=24)
    assert not build(second, parent).gap.parts_absences


def test_absences_of_few_are_not_parted():
    second, parent = evenings(people=9)  # an even and an odd half of at most five
    assert not build(second, parent).gap.parts_absences


def test_short_gaps_and_gaps_over_midnight_stay_exact():
    second, parent = evenings(low=23, high=24)
    codec = build(second, parent)
    assert codec.gap.parts_absences
    opens, gap = gaps_of(second, parent)
    short = ~opens & (gap < DAY // LONG)
    midnight = short & (second // DAY != (second - gap) // DAY)
    assert midnight.any()
    after = decode(codec, codec.encode(moments(second), parent), parent)
    np.testing.assert_array_equal(gaps_of(after, parent)[1][short], gap[short])


def test_tokens_say_which_kind_of_gap_it_is():
    second, parent = evenings()
    codec = build(second, parent)
    gap_RC = codec.encode(moments(second), parent)[:, -len(codec.gap.sub_columns) :]
    opens, gap = gaps_of(second, parent)
    absent = ~opens & (gap >= DAY // LONG)
    np.testing.assert_array_equal(gap_RC[:, 0] == NOT_APPLICABLE, opens | absent)
    time = gap_RC[:, -len(codec.gap.time.sub_columns)]
    np.testing.assert_array_equal(time == NOT_APPLICABLE, ~absent)


@pytest.mark.parametrize("seed", range(5))
def test_any_codes_give_ascending_moments_within_the_bounds(seed):
    second, parent = evenings(people=60)
    codec, rng = build(second, parent), np.random.default_rng(seed)
    codes = np.stack([rng.integers(0, sub.cardinality, len(parent)) for sub in codec.sub_columns], axis=1)
    after = decode(codec, codes.astype(np.int32), parent, seed)
    assert (np.diff(after)[~first_rows(parent)[1:]] >= 0).all()
    assert after.min() >= codec.low
    assert after.max() <= codec.high


def test_missing_moments_stay_missing():
    second, parent = evenings()
    mask = np.random.default_rng(1).random(len(second)) < 0.1
    values = pa.array(moments(second).to_pylist(), pa.timestamp("s"), mask=mask)
    codec = build_sequence(values, parent, parent, Column(), Protection())
    assert codec.gap.parts_absences
    uniforms = np.random.default_rng(0).random((len(parent), codec.draws))
    after = codec.decode(codec.encode(values, parent), uniforms, parent)
    assert after.is_null().equals(values.is_null())


def test_json():
    second, parent = evenings()
    codec = build(second, parent)
    made = codec_from_json(json.loads(json.dumps(codec.to_json())))
    codes = codec.encode(moments(second), parent)
    assert made.gap.parts_absences
    np.testing.assert_array_equal(decode(made, codes, parent), decode(codec, codes, parent))


def test_a_row_that_stands_where_the_row_before_does_has_the_codes_that_say_so():
    second, parent = evenings()
    codec = build(second, parent)
    codes = codec.encode(moments(second), parent)
    same = np.flatnonzero(~first_rows(parent) & (gaps_of(second, parent)[1] == 0))
    assert len(same)
    gap = dict(codec.repeated()[: len(codec.gap.sub_columns)])
    assert (codes[np.ix_(same, [*gap])] == list(gap.values())).all()


def test_no_single_persons_day_or_time_is_stored():
    second, parent = evenings()
    codec, minimum = build(second, parent), Protection().rare_minimum
    _, gap = gaps_of(second, parent)
    absences = Absences.of(second, gap, DAY)
    some = absences.long_R
    for line, tick_L in ((codec.gap.day, absences.day_R[some]), (codec.gap.time, absences.time_R[some])):
        for point in line.low_L[line.low_L == line.high_L]:
            assert len(np.unique(parent[some][tick_L == point])) >= minimum


def test_absences_of_every_step_equal_a_slow_loop():
    rng = np.random.default_rng(2)
    before, turn = rng.integers(-5 * DAY, 5 * DAY, 200), rng.permutation(200)
    absences = Absences(rng.random(200) < 0.5, rng.integers(0, 4, 200), rng.integers(0, DAY, 200), DAY)
    exact = rng.integers(0, 99, 200)
    steps = absences.step(before, exact, turn)
    for place, row in enumerate(turn):
        if not absences.long_R[row]:
            assert steps[place] == exact[place]
            continue
        came = (before[place] // DAY + absences.day_R[row]) * DAY + absences.time_R[row]
        while came - before[place] < DAY // LONG:
            came += DAY
        assert steps[place] == came - before[place]


def test_absences_undo_themselves():
    second, parent = evenings(people=40)
    opens, gap = gaps_of(second, parent)
    absences = Absences.of(second, gap, DAY)
    later = np.flatnonzero(~opens)
    steps = absences.step((second - gap)[later], gap[later], later)
    np.testing.assert_array_equal(steps, gap[later])


def test_hours_are_told_by_the_hour_whatever_the_tick():
    second, parent = evenings()
    _, gap = gaps_of(second, parent)
    assert are_told(second, gap, parent, DAY, 5)
    assert are_told(second * 1_000, gap * 1_000, parent, DAY * 1_000, 5)
    assert not are_told(second // DAY, gap // DAY, parent, 1, 5)
