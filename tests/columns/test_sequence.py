"""Order columns: order in time holds by construction, gaps and starts keep their shape."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.columns.registry import codec_from_json
from kinsynth.columns.sequence import build_sequence, first_rows, split_ticks, sum_by_parent
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

RNG = np.random.default_rng(21)
PARENTS = 400
COUNTS = RNG.integers(0, 30, PARENTS)
PARENT = np.repeat(np.arange(PARENTS), COUNTS)
OPENED = RNG.integers(9_000, 11_000, PARENTS)
DAYS = sum_by_parent(
    np.where(first_rows(PARENT), OPENED[PARENT] + 2, RNG.choice([0, 1, 7, 30], len(PARENT))), PARENT
)


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
        np.stack(codes, axis=1).astype(np.int32), rng.random((len(PARENT), 2)), PARENT, anchor
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
    # Only the protected latest moments are moved.
    assert (after.cast(pa.int32()).to_numpy() == DAYS).mean() > 0.98


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


def test_a_missing_parents_moment_is_an_error_of_the_caller():
    codec = build(dates(DAYS), dates(OPENED[PARENT]))
    with pytest.raises(ValueError, match="parent's moments"):
        codec.encode(dates(DAYS), PARENT)
