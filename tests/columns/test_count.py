"""Child counts: nearly exact, never a protected one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.columns.count import MOST_CODES, build_count, build_level
from kinsynth.columns.registry import codec_from_json
from kinsynth.encoded import ChildCount
from kinsynth.privacy.protection import OwnRoots
from kinsynth.settings.privacy import Protection


def build(counts, roots=None):
    counts = np.asarray(counts, dtype=np.int64)
    return build_count(counts, np.arange(len(counts)) if roots is None else roots, Protection())


def again(codec, counts, seed=0):
    codes = codec.encode((pa.array(counts),))
    return codec.decode(codes, np.random.default_rng(seed).random((len(counts), 1)))[0].to_numpy()


def total_variation(left, right):
    size = int(max(left.max(), right.max())) + 1
    return (
        0.5 * np.abs(np.bincount(left, minlength=size) - np.bincount(right, minlength=size)).sum() / len(left)
    )


def test_small_counts_are_exact():
    counts = np.random.default_rng(0).poisson(3, 5_000)
    codec = build(counts)
    assert total_variation(counts, again(codec, counts)) < 0.005
    assert codec.low_K[0] == 0


def test_large_counts_stay_close():
    counts = np.random.default_rng(0).negative_binomial(2, 0.01, 5_000)
    codec = build(counts)
    after = again(codec, counts)
    assert len(codec.low_K) <= MOST_CODES
    # Off by a range's width at most, but for the protected largest counts.
    within = counts <= codec.high_K[-1]
    assert np.abs(after - counts)[within].max() <= (codec.high_K - codec.low_K).max()
    assert (~within).sum() < 5
    assert abs(after.mean() / counts.mean() - 1) < 0.01


def test_ranges_are_ascending_and_fit_the_waist():
    codec = build(np.random.default_rng(1).negative_binomial(1, 0.05, 2_000))
    assert (codec.low_K <= codec.high_K).all()
    assert (codec.low_K[1:] > codec.high_K[:-1]).all()
    ChildCount("orders", 0, codec.low_K, codec.high_K)
    assert codec.sub_columns[0].cardinality == len(codec.low_K)


def test_a_count_of_few_roots_is_protected():
    counts = np.concatenate([np.random.default_rng(2).poisson(2, 2_000), [40, 41, 500]])
    codec = build(counts)
    assert codec.high_K.max() < 40
    assert again(codec, counts)[-1] < 40


def test_lonely_counts_join_their_neighbour():
    counts = np.array([1] * 500 + [2] * 2 + [3] * 500)
    after = again(build(counts), counts)
    assert total_variation(counts, after) <= 2 / len(counts)


def test_lonely_counts_are_drawn_where_those_beside_them_are_as_rare():
    counts = np.repeat([0, 1, 2, 3, 4, 9, 10], [2, 4, 4, 9, 30, 4, 6])
    codec = build(counts)
    ranges = list(zip(codec.low_K.tolist(), codec.high_K.tolist(), strict=True))
    assert ranges == [(1, 2), (3, 3), (4, 4), (8, 10)], "9 is no end: few have it"
    assert codec.mass_K.tolist() == [10, 9, 30, 10]


def test_the_mean_is_that_of_all_counts_also_of_those_that_are_cut():
    counts = np.repeat([1, 2, 50], [60, 40, 2])
    assert build(counts).high_K.max() == 2
    assert build(counts).mean == pytest.approx(240 / 102, rel=0.005)
    assert build_level(counts, np.arange(len(counts)), Protection()).mean is None
    assert build([3, 4]).mean is None, "too few parents for anything to be told"


def test_roots_are_counted_not_rows():
    counts = np.array([1] * 500 + [7] * 50)
    roots = np.concatenate([np.arange(500), np.full(50, 999)])
    assert build(counts, roots).high_K.max() == 1


def test_too_few_roots_give_no_children():
    codec = build([3, 4])
    assert again(codec, np.array([3, 4])).tolist() == [0, 0]


def test_json():
    codec = build(np.random.default_rng(0).poisson(9, 500))
    made = codec_from_json(codec.to_json())
    assert made.to_json() == codec.to_json()


def test_ranges_end_at_nobodys_own_count():
    counts = np.repeat([0, 3, 4, 7, 11, 13, 17, 30, 31, 37, 41, 44], 3)
    codec = build(counts)
    adjacent = {3, 4, 30, 31}  # no room between them
    edges = {*codec.low_K[:-1].tolist(), *codec.high_K[:-1].tolist()}
    assert edges & set(counts.tolist()) <= adjacent
    assert (codec.low_K[1:] > codec.high_K[:-1]).all()
    assert codec.low_K[0] == 3, "fewer than five parents have no child"
    assert codec.high_K[-1] == 41, "fewer than five parents have more"


def test_every_range_is_held_by_enough_roots():
    counts = np.random.default_rng(1).negative_binomial(1, 0.02, 700)
    codec = build(counts)
    held = np.bincount(codec.encode((pa.array(counts),))[:, 0], minlength=len(codec.low_K))
    assert held.min() >= 5
    assert (counts >= codec.high_K[-1]).sum() >= 5
    assert (counts <= codec.low_K[0]).sum() >= 5


def test_the_mean_does_not_tell_the_count_of_one_extreme_parent() -> None:
    counts = np.arange(400) % 4
    means = [
        build_count(np.append(counts, most), OwnRoots(np.ones(401, dtype=np.int64)), Protection()).mean
        for most in (947, 948)
    ]
    assert means[0] == means[1] == 3.86
