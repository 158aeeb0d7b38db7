"""Groupings: planted ones are found, noise is left whole, each has enough roots, each code a side."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kinsynth.encoded import Grouping, SubColumn
from kinsynth.engine.grouping import fit_grouping
from kinsynth.engine.profile import make_profile


def line(codes, column=0, missing=0, **more):
    """An ordered sub-column; its last codes have no place."""
    place_K = np.linspace(0, 1, codes).astype(np.float32)
    place_K[codes - missing :] = np.nan
    return SubColumn(column, codes, place_K, **more)


def classes(codes, column=0, **more):
    return SubColumn(column, codes, **more)


def fit(codes_TC, subs, profile_TP, weight_T=None, root_T=None, **more):
    rows = len(codes_TC)
    weight_T = np.full(rows, 10.0) if weight_T is None else weight_T
    root_T = np.arange(rows) if root_T is None else root_T
    return fit_grouping(
        codes_TC,
        subs,
        profile_TP.astype(np.float32),
        weight_T.astype(np.float32),
        root_T,
        **{"minimum": 5, **more},
    )


def explained(group_T, profile_TP):
    """Share of variance that the groups explain."""
    means = np.stack([profile_TP[group_T == group].mean(axis=0) for group in range(group_T.max() + 1)])
    return (
        1
        - np.square(profile_TP - means[group_T]).sum() / np.square(profile_TP - profile_TP.mean(axis=0)).sum()
    )


def test_planted_groups_are_recovered():
    random = np.random.default_rng(1)
    codes_TC = np.column_stack(
        [random.integers(0, 20, 3000), random.integers(0, 8, 3000), random.integers(0, 30, 3000)]
    )
    planted_T = (codes_TC[:, 0] > 11) * 2 + np.isin(codes_TC[:, 1], [1, 4, 6])
    centre = random.normal(0, 1, (4, 6))
    profile_TP = centre[planted_T] + random.normal(0, 0.7, (3000, 6))
    grouping = fit(codes_TC, (line(20), classes(8, 1), line(30, 2)), profile_TP)
    group_T = grouping.of(codes_TC)
    assert grouping.groups == 4
    assert len({(group, planted) for group, planted in zip(group_T, planted_T, strict=True)}) == 4


@pytest.mark.parametrize("seed", range(12))
def test_noise_is_left_whole(seed):
    random = np.random.default_rng(seed)
    rows = 60 * (seed + 1) ** 2
    codes_TC = np.column_stack(
        [random.integers(0, 50, rows), random.integers(0, 200, rows), random.integers(0, 3, rows)]
    )
    weight_T = np.ceil(random.lognormal(1, 1.5, rows))
    profile_TP = random.standard_t(3, (rows, 8)) / np.sqrt(weight_T)[:, None]
    subs = (line(50, missing=3), classes(200, 1), classes(3, 2))
    assert fit(codes_TC, subs, profile_TP, weight_T).groups == 1


@pytest.mark.parametrize("minimum", [5, 40])
def test_each_group_has_enough_roots_and_weight(minimum):
    random = np.random.default_rng(2)
    codes_TC = random.integers(0, 300, (4000, 1))
    root_T = np.sort(random.integers(0, 500, 4000))
    weight_T = random.integers(0, 4, 4000)
    profile_TP = np.column_stack([codes_TC[:, 0] / 300, np.sin(codes_TC[:, 0] / 20)]) + random.normal(
        0, 0.1, (4000, 2)
    )
    grouping = fit(codes_TC, (line(300),), profile_TP, weight_T, root_T, minimum=minimum)
    group_T = grouping.of(codes_TC)
    assert grouping.groups > 5
    for group in range(grouping.groups):
        assert len(np.unique(root_T[group_T == group])) >= minimum
        assert weight_T[group_T == group].sum() >= 30


def test_rows_of_few_roots_are_no_group():
    """A code that stands apart, on many rows of four roots, is not told apart; on five it is."""
    for roots, groups in ((4, 1), (5, 2)):
        root_T = np.concatenate([np.repeat(np.arange(roots), 20), np.arange(10, 400)])
        codes_TC = (root_T < 10).astype(np.int64)[:, None]
        profile_TP = codes_TC * 5 + np.random.default_rng(3).normal(0, 1, (len(root_T), 3))
        assert fit(codes_TC, (classes(2),), profile_TP, root_T=root_T).groups == groups


def test_never_more_groups_than_asked_and_neighbours_are_alike():
    random = np.random.default_rng(4)
    codes_TC = random.integers(0, 100, (5000, 1))
    profile_TP = np.column_stack([codes_TC[:, 0] * 1.0, codes_TC[:, 0] * -0.5]) + random.normal(
        0, 3, (5000, 2)
    )
    grouping = fit(codes_TC, (line(100),), profile_TP, most=16)
    group_T = grouping.of(codes_TC)
    assert grouping.groups == 16
    assert abs(np.corrcoef(group_T, codes_TC[:, 0])[0, 1]) > 0.98
    assert explained(group_T, profile_TP) > 0.98 * explained(codes_TC[:, 0], profile_TP)


def test_only_what_is_shown_is_asked():
    codes_TC = np.random.default_rng(5).integers(0, 4, (1000, 2))
    subs = (classes(4), classes(4, 1, shown=False))
    assert fit(codes_TC, subs, codes_TC[:, 1:] * 1.0).groups == 1
    assert fit(codes_TC, subs, codes_TC[:, :1] * 1.0).groups == 4


def test_codes_never_seen_have_a_side():
    """Codes between those seen go to the nearer side by place; codes without a place go right."""
    random = np.random.default_rng(6)
    codes_TC = random.choice([0, 1, 2, 7, 8, 9], 900)[:, None]
    grouping = fit(codes_TC, (line(12, missing=2),), (codes_TC > 4) * 1.0 + random.normal(0, 0.1, (900, 1)))
    assert grouping.groups == 2
    side_K = grouping.of(np.arange(12)[:, None])
    assert (side_K[:10] == np.repeat([0, 1], 5)).all() or (side_K[:10] == np.repeat([1, 0], 5)).all()
    assert side_K[10:].tolist() == [1, 1]


def test_missing_is_told_apart_from_both_ends_of_a_line():
    random = np.random.default_rng(7)
    codes_TC = random.integers(0, 11, (3000, 1))
    missing = codes_TC[:, 0] == 10
    for low, high in ((0, 5), (5, 0)):
        profile_TP = np.where(missing, 9.0, np.where(codes_TC[:, 0] < 5, low, high))[:, None] + random.normal(
            0, 0.3, (3000, 1)
        )
        group_T = fit(codes_TC, (line(11, missing=1),), profile_TP).of(codes_TC)
        assert explained(group_T, profile_TP) > 0.95
        assert len(set(group_T[missing].tolist()) & set(group_T[~missing].tolist())) == 0


def test_rows_without_weight_and_no_rows():
    codes_TC = np.zeros((5, 1), dtype=np.int64)
    for rows in (0, 5):
        assert fit(codes_TC[:rows], (classes(2),), np.zeros((rows, 3)), np.zeros(rows)).groups == 1


def test_the_same_grouping_again_and_from_json():
    random = np.random.default_rng(8)
    codes_TC = random.integers(0, 30, (2000, 3))
    profile_TP = np.column_stack([codes_TC[:, 0] * codes_TC[:, 1], codes_TC[:, 2] % 3]) / 20 + random.normal(
        0, 1, (2000, 2)
    )
    subs = (line(30), classes(30, 1), classes(30, 2))
    first, again = (fit(codes_TC, subs, profile_TP) for _ in range(2))
    assert first.groups > 4
    assert first.to_json() == again.to_json()
    read = Grouping.from_json(json.loads(json.dumps(first.to_json())))
    np.testing.assert_array_equal(read.of(codes_TC), first.of(codes_TC))


def linked(rows=20_000, targets=500):
    random = np.random.default_rng(9)
    kind_T = random.integers(0, 3, targets)
    link_R = random.integers(-1, targets - 20, rows)
    codes_RC = np.column_stack([random.integers(0, 10, rows), random.integers(0, 5, rows)])
    codes_RC[:, 0] = np.where(link_R >= 0, (codes_RC[:, 0] + 5 * kind_T[link_R]) // 3, 0)
    owner_RC = np.where(link_R >= 0, kind_T[link_R] == 2, False)[:, None].astype(np.int64)
    return kind_T, link_R, codes_RC, owner_RC


def test_profiles_tell_target_rows_apart():
    kind_T, link_R, codes_RC, owner_RC = linked()
    subs, owner_subs = (line(10), classes(5, 1)), (classes(2),)
    profile_TP, weight_T = make_profile(link_R, codes_RC, subs, owner_RC, owner_subs, targets=500, seed=1)
    assert profile_TP.shape == (500, 25)
    degree_T = np.bincount(link_R[link_R >= 0], minlength=500)
    np.testing.assert_array_equal(weight_T, np.where(degree_T == 0, 1, degree_T))
    assert np.corrcoef(profile_TP[:, 0], np.log1p(degree_T))[0, 1] > 0.9999
    assert (profile_TP[degree_T == 0, 1:] == 0).all()
    spread_P = np.sqrt(weight_T @ np.square(profile_TP) / weight_T.sum())
    assert spread_P[0] == pytest.approx(np.sqrt(np.square(spread_P[1:]).mean()), rel=1e-3)
    grouping = fit(kind_T[:, None], (classes(3),), profile_TP, weight_T)
    assert grouping.groups == 3
    noise_T = np.random.default_rng(1).permutation(kind_T)
    assert fit(noise_T[:, None], (classes(3),), profile_TP, weight_T).groups == 1


def test_profiles_without_owners_or_pointing_rows():
    _, link_R, codes_RC, _ = linked(300, 50)
    subs = (line(10), classes(5, 1, shown=False))
    profile_TP, _ = make_profile(link_R, codes_RC, subs, None, (), targets=50, seed=1)
    assert np.isfinite(profile_TP).all()
    other_RC = codes_RC.copy()
    other_RC[:, 1] = 0
    np.testing.assert_array_equal(
        profile_TP, make_profile(link_R, other_RC, subs, None, (), targets=50, seed=1)[0]
    )
    profile_TP, weight_T = make_profile(np.full(300, -1), codes_RC, subs, None, (), targets=50, seed=1)
    assert not profile_TP.any()
    assert (weight_T == 1).all()


def test_of_many_pointing_rows_some_are_looked_at():
    rows, targets = 400_000, 3
    link_R = np.arange(rows) % targets
    codes_RC = (link_R[:, None] == 1).astype(np.uint8)
    profile_TP, weight_T = make_profile(link_R, codes_RC, (classes(2),), None, (), targets=targets, seed=1)
    assert weight_T.sum() == 200_000
    np.testing.assert_allclose(profile_TP[0, 1:], profile_TP[2, 1:], atol=1e-6)
    assert np.abs(profile_TP[0, 1:] - profile_TP[1, 1:]).min() > 1
