"""Columns drawn as a distance: never below their anchor, within their bounds, missing where it is missing."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from kinsynth.columns.registry import codec_from_json
from kinsynth.columns.relative import RelativeCodec, build_relative
from kinsynth.columns.restriction import without_values
from kinsynth.columns.scale import DayScale
from kinsynth.settings.privacy import Protection

ROWS = 2_000
DAYS = DayScale("date32[day]")


def days(values: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    return pa.array(values.astype(np.int32), mask=missing).cast(pa.date32())


def make() -> tuple[RelativeCodec, pa.Array, pa.Array]:
    chance = np.random.default_rng(0)
    start = 10_000 + chance.integers(0, 3_000, ROWS)
    anchor = days(start, chance.random(ROWS) < 0.1)
    values = days(start + 1 + chance.integers(0, 30, ROWS), anchor.is_null().to_numpy(zero_copy_only=False))
    bounds = {"low": 10_010, "high": 13_000}
    codec = build_relative(
        values, anchor, np.arange(ROWS), Protection(), measure=DAYS, step=1, least=1, **bounds
    )
    return codec, values, anchor


def test_short_distances_come_back_exactly_and_missing_values_stay_missing() -> None:
    codec, values, anchor = make()
    codes_RC = codec.encode(values, anchor)
    decoded = codec.decode(codes_RC, np.full((ROWS, codec.draws), 0.5), anchor)
    inside = (np.array(values.cast(pa.int32()).fill_null(0)) >= 10_010) & (
        np.array(values.cast(pa.int32()).fill_null(10**6)) <= 13_000
    )
    assert inside.sum() > ROWS / 2
    assert decoded.filter(pa.array(inside)).equals(values.filter(pa.array(inside)))
    assert decoded.is_null().equals(values.is_null())


def test_a_drawn_value_is_above_its_anchor_and_within_bounds_as_far_as_that_allows() -> None:
    codec, values, anchor = make()
    codes_RC = codec.encode(values, anchor)[::-1]
    uniform_RD = np.random.default_rng(1).random((ROWS, codec.draws))
    anchor_R, known_R = DAYS.to_ticks(anchor)
    tick_R, valid_R = DAYS.to_ticks(codec.decode(codes_RC, uniform_RD, anchor))
    assert (tick_R > anchor_R)[valid_R].all()
    assert ((tick_R >= 10_010) & (tick_R <= np.maximum(13_000, anchor_R + 1)))[valid_R].all()
    assert not valid_R[~known_R].any()


def test_it_comes_back_from_json() -> None:
    codec, values, anchor = make()
    again = codec_from_json(json.loads(json.dumps(codec.to_json())))
    assert again.to_json() == codec.to_json()
    assert (again.encode(values, anchor) == codec.encode(values, anchor)).all()


def test_refused_values_are_passed_over_upwards_and_stay_refused_when_read_again() -> None:
    codec, values, anchor = make()
    refused = np.arange(11_000, 11_400)
    kept_out = without_values(codec, days(refused))
    codes_RC = codec.encode(values, anchor)
    uniform_RD = np.random.default_rng(1).random((ROWS, codec.draws))
    plain_R, _ = DAYS.to_ticks(codec.decode(codes_RC, uniform_RD, anchor))
    for one in (kept_out, codec_from_json(json.loads(json.dumps(kept_out.to_json())))):
        tick_R, valid_R = DAYS.to_ticks(one.decode(codes_RC, uniform_RD, anchor))
        assert np.isin(plain_R, refused)[valid_R].any()
        assert not np.isin(tick_R, refused)[valid_R].any()
        assert (tick_R > DAYS.to_ticks(anchor)[0])[valid_R].all()
        assert (tick_R == plain_R)[valid_R & ~np.isin(plain_R, refused)].all()


def test_a_distance_to_either_side_comes_back_and_stays_within_the_bounds() -> None:
    chance = np.random.default_rng(2)
    start = 10_000 + 7 * chance.integers(0, 400, ROWS)
    anchor, values = days(start), days(start + 7 * chance.integers(-4, 5, ROWS))
    bounds = {"low": 10_007, "high": 12_600}
    codec = build_relative(
        values, anchor, np.arange(ROWS), Protection(), measure=DAYS, step=7, least=None, **bounds
    )
    decoded = codec.decode(codec.encode(values, anchor), np.full((ROWS, codec.draws), 0.5), anchor)
    clipped = np.clip(DAYS.to_ticks(values)[0], bounds["low"], bounds["high"])
    assert DAYS.to_ticks(decoded)[0].tolist() == clipped.tolist()
    again = codec_from_json(json.loads(json.dumps(codec.to_json())))
    assert isinstance(again, RelativeCodec)
    assert again.least is None


def test_a_distance_that_few_persons_have_is_not_learned() -> None:
    start = np.full(ROWS, 10_000)
    apart = np.r_[np.arange(ROWS - 4) % 10, np.full(4, 5_000)]
    bounds = {"low": 0, "high": 20_000}
    codec = build_relative(
        days(start + apart),
        days(start),
        np.arange(ROWS),
        Protection(),
        measure=DAYS,
        step=1,
        least=None,
        **bounds,
    )
    codes_RC = codec.encode(days(start + apart), days(start))
    uniform_RD = np.random.default_rng(3).random((ROWS, codec.draws))
    drawn = DAYS.to_ticks(codec.decode(codes_RC, uniform_RD, days(start)))[0] - start
    assert drawn.max() <= 9
    assert "5000" not in json.dumps(codec.to_json()["distance"])
