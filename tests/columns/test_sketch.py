"""Sketches: coarse codes of summaries, none held by few roots, never decoded."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.columns.registry import codec_from_json
from kinsynth.columns.sketch import Behind, build_sketch, roundest_number
from kinsynth.encoded import EncodedTable
from kinsynth.privacy.protection import OwnRoots


def build(values, roots=None, *, ordered=True, cells=16, minimum=5):
    values = np.asarray(values, dtype=np.float64)
    roots = OwnRoots(np.ones(len(values), dtype=np.int64)) if roots is None else roots
    return build_sketch(
        values, roots, column="c", statistic="mean", ordered=ordered, cells=cells, minimum=minimum
    )


def codes_of(codec, values):
    return codec.encode((pa.array(np.asarray(values, dtype=np.float64), from_pandas=True),))


def test_numbers_fall_into_ascending_cells_of_about_equal_mass():
    values = np.random.default_rng(0).lognormal(3, 2, 4_000)
    codec = build(values)
    code_R = codes_of(codec, values)[:, 0]
    assert np.array_equal(np.bincount(code_R), codec.mass_K)
    assert len(codec.mass_K) == 16
    assert codec.mass_K.min() > 0.9 * 4_000 / 16
    assert (np.diff(code_R[np.argsort(values, kind="stable")]) >= 0).all()
    assert (np.diff(codec.sub_columns[0].position_K) > 0).all()


def test_a_summary_that_many_share_has_a_cell_of_its_own():
    values = np.concatenate([np.zeros(500), np.random.default_rng(0).uniform(1, 2, 500)])
    code_R = codes_of(build(values), values)[:, 0]
    assert set(code_R[:500]) & set(code_R[500:]) == set()


def test_every_code_stands_for_enough_roots():
    rng = np.random.default_rng(1)
    roots = np.repeat(np.arange(60), 5)
    for values in (
        rng.normal(size=300),
        rng.integers(0, 100, 300).astype(float),
        np.repeat(rng.normal(size=60), 5),
    ):
        for ordered in (True, False):
            codec = build(values, roots, ordered=ordered, cells=64)
            if codec is None:
                continue
            code_R = codes_of(codec, values)[:, 0]
            held = [len(np.unique(roots[code_R == code])) for code in np.unique(code_R)]
            assert min(held) >= 5
            assert np.array_equal(np.unique(code_R), np.arange(len(codec.mass_K)))


def test_parents_without_the_summary_have_a_code_of_their_own_if_they_are_enough():
    values = np.random.default_rng(2).normal(size=200)
    values[:10] = np.nan
    codec = build(values)
    code_R = codes_of(codec, values)[:, 0]
    assert (code_R[:10] == 0).all()
    assert (code_R[10:] > 0).all()
    assert np.isnan(codec.sub_columns[0].position_K[0])
    values[:6] = 0.0
    few = build(values)
    assert not few.absent
    assert len(np.unique(codes_of(few, [np.nan, np.nan]))) == 1


def test_rare_categories_share_a_code_or_join_the_likeliest():
    values = np.concatenate([np.full(50, 7.0), np.full(30, 9.0), np.arange(100, 108)])
    codec = build(values, ordered=False)
    code_R = codes_of(codec, values)[:, 0]
    assert codec.edge_K.tolist() == [7.0, 9.0]
    assert code_R[0] != code_R[60]
    assert set(code_R[80:]) == {2}
    few = build(values[:83], ordered=False)
    assert set(codes_of(few, values[80:])[:, 0]) == {codes_of(few, [7.0])[0, 0]}


def test_edges_tell_no_summary():
    values = np.random.default_rng(3).lognormal(3, 1, 2_000)
    assert not set(build(values).edge_K.tolist()) & set(values.tolist())


@pytest.mark.parametrize("exponent", range(-6, 12, 3))
def test_a_round_number_lies_between(exponent):
    rng = np.random.default_rng(exponent + 9)
    for low, high in np.sort(rng.normal(0, 10.0**exponent, (200, 2)), axis=1).tolist():
        assert low < roundest_number(low, high) <= high


def test_nothing_to_tell_gives_no_sketch():
    assert build(np.zeros(100)) is None
    assert build(np.full(100, np.nan)) is None
    assert build(np.arange(4.0)) is None


@pytest.mark.parametrize("ordered", [True, False])
def test_a_sketch_fits_the_waist_and_survives_json(ordered):
    values = np.random.default_rng(4).integers(0, 9, 500).astype(float)
    codec = build(values, ordered=ordered)
    again = codec_from_json(json.loads(json.dumps(codec.to_json())))
    codes_RC = codes_of(codec, values)
    assert np.array_equal(codes_of(again, values), codes_RC)
    assert again.to_json() == codec.to_json()
    EncodedTable(codes_RC, codec.sub_columns)


def test_a_sketch_is_never_decoded():
    codec = build(np.arange(100.0))
    with pytest.raises(ValueError, match="never decoded"):
        codec.decode(np.zeros((1, 1), np.int32), np.zeros((1, 1)))


def test_behind_every_code_stand_enough_holders_of_the_rows_summed_up():
    rng = np.random.default_rng(3)
    for ordered in (True, False):
        values = rng.normal(size=300).round(1) if ordered else rng.integers(0, 90, 300).astype(float)
        parent_N = rng.integers(0, 300, 3_000)
        person_N = np.where(values[parent_N] > np.quantile(values, 0.7), 0, rng.integers(0, 40, 3_000))
        codec = build_sketch(
            values,
            OwnRoots(np.ones(300, dtype=np.int64)),
            behind=Behind(parent_N, person_N),
            column="c",
            statistic="mean",
            ordered=ordered,
            cells=16,
            minimum=5,
        )
        code_N = codes_of(codec, values)[parent_N, 0]
        assert len(np.unique(code_N)) > 2
        assert min(len(np.unique(person_N[code_N == code])) for code in np.unique(code_N)) >= 5
