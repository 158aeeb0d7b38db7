"""Assignment: what must be kept is kept, nobody is left out without need, and quotas come out."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from kinsynth.engine.assignment import NOBODY, SELF, UNRESOLVED, Supply, Wanted, assign


def ints(*numbers):
    return np.array(numbers, dtype=np.int64)


def degrees(target_R, targets):
    return np.bincount(target_R[target_R >= 0], minlength=targets)


def variation(first, second):
    """Total variation between how many targets have each in-degree."""
    size = max(first.max(), second.max()) + 1
    return (
        np.abs(np.bincount(first, minlength=size) - np.bincount(second, minlength=size)).sum()
        / 2
        / len(first)
    )


def check(wanted, supply, target_R):
    """Every promise that holds whatever the case."""
    np.testing.assert_array_equal(target_R[wanted.group_R < 0], wanted.group_R[wanted.group_R < 0])
    given = np.flatnonzero(target_R >= 0)
    assert (target_R[(wanted.group_R >= 0) & (target_R < 0)] == UNRESOLVED).all()
    assert (target_R < len(supply.group_T)).all()
    if wanted.scope_R is not None:
        np.testing.assert_array_equal(wanted.scope_R[given], supply.scope_T[target_R[given]])
    for label_R in wanted.apart:
        pairs = list(zip(label_R[given].tolist(), target_R[given].tolist(), strict=True))
        assert len(set(pairs)) == len(pairs)
    for place_R in wanted.avoid:
        assert (place_R[given] != target_R[given]).all()


def most_served(wanted, supply):
    """The most rows that can have a target row, with one array in ``apart`` at most: slow."""
    targets, served = len(supply.group_T), 0
    allowed_RT = np.repeat((wanted.group_R >= 0)[:, None], targets, axis=1)
    if wanted.scope_R is not None:
        allowed_RT &= wanted.scope_R[:, None] == supply.scope_T[None, :]
    for place_R in wanted.avoid:
        allowed_RT &= place_R[:, None] != np.arange(targets)[None, :]
    if not wanted.apart:
        return int(allowed_RT.any(axis=1).sum())
    for label in np.unique(wanted.apart[0]):
        some = csr_matrix(allowed_RT[wanted.apart[0] == label])
        served += int((maximum_bipartite_matching(some, perm_type="column") >= 0).sum())
    return served


def random_case(random, *, scopes, apart, avoid):
    rows, targets = int(random.integers(1, 15)), int(random.integers(1, 8))
    group_R = random.integers(-2, 5, rows)
    scope_R = scope_T = None
    if scopes:
        scope_R, scope_T = random.integers(5, 8, rows), random.integers(4, 8, targets)
    wanted = Wanted(
        group_R,
        np.arange(rows),
        scope_R,
        tuple(random.integers(-1, int(random.integers(0, 4)), rows) for _ in range(apart)),
        tuple(random.integers(-1, targets, rows) for _ in range(avoid)),
    )
    supply = Supply(
        random.integers(0, 4, targets), random.integers(0, 5, targets), np.arange(targets), scope_T
    )
    return wanted, supply


@pytest.mark.parametrize(
    ("scopes", "apart", "avoid"),
    [(False, 0, 0), (True, 0, 0), (False, 1, 0), (True, 1, 0), (False, 0, 2), (True, 1, 1), (False, 1, 2)],
)
def test_as_many_rows_as_possible_get_a_target_row(scopes, apart, avoid):
    random = np.random.default_rng(7)
    short = 0
    for case in range(300):
        wanted, supply = random_case(random, scopes=scopes, apart=apart, avoid=avoid)
        target_R = assign(wanted, supply, seed=case, stream="x")
        check(wanted, supply, target_R)
        assert (target_R >= 0).sum() == most_served(wanted, supply)
        short += (target_R == UNRESOLVED).sum()
    assert (short > 0) == bool(scopes or apart or avoid)


def test_several_labels_are_all_kept():
    random = np.random.default_rng(8)
    for case in range(300):
        wanted, supply = random_case(random, scopes=bool(case % 2), apart=2 + case % 2, avoid=case % 3)
        check(wanted, supply, assign(wanted, supply, seed=case, stream="x"))


@pytest.mark.parametrize("scopes", [1, 40])
def test_quotas_are_met_when_rows_and_slots_agree(scopes):
    random = np.random.default_rng(3)
    scope_T, group_T = random.integers(0, scopes, 5000), random.integers(0, 9, 5000)
    quota_T = random.geometric(0.3, 5000) - 1
    target_R = random.permutation(np.repeat(np.arange(5000), quota_T))
    for group_R in (group_T[target_R], random.integers(0, 12, len(target_R))):
        wanted = Wanted(group_R, np.arange(len(target_R)), scope_T[target_R])
        supply = Supply(group_T, quota_T, np.arange(5000), scope_T)
        made_R = assign(wanted, supply, seed=1, stream="x")
        check(wanted, supply, made_R)
        np.testing.assert_array_equal(degrees(made_R, 5000), quota_T)
        if group_R.max() < 9:
            np.testing.assert_array_equal(group_T[made_R], group_R)


def test_too_many_rows_raise_quotas_in_proportion():
    supply = Supply(ints(0, 0, 0, 0), ints(0, 1, 3, 6), np.arange(4))
    wanted = Wanted(np.zeros(1000, dtype=np.int64), np.arange(1000))
    assert degrees(assign(wanted, supply, seed=1, stream="x"), 4).tolist() == [0, 100, 300, 600]


def test_too_few_rows_leave_out_slots_by_chance():
    quota_T = np.full(1000, 3)
    quota_T[:500] = 1
    supply = Supply(np.zeros(1000, dtype=np.int64), quota_T, np.arange(1000))
    wanted = Wanted(np.zeros(1000, dtype=np.int64), np.arange(1000))
    found_T = degrees(assign(wanted, supply, seed=1, stream="x"), 1000)
    assert set(found_T[:500].tolist()) == {0, 1}
    assert set(found_T[500:].tolist()) == {1, 2}
    assert abs(found_T[:500].mean() - 0.5) < 4 * 0.5 / np.sqrt(500)


def test_rows_over_take_the_nearest_groups():
    supply = Supply(np.arange(10), np.full(10, 10), np.arange(10))
    group_R = np.repeat(ints(3, 9), (30, 5))
    target_R = assign(Wanted(group_R, np.arange(35)), supply, seed=2, stream="x")
    assert sorted(set(target_R[:30].tolist())) == [2, 3, 4]
    assert set(target_R[30:].tolist()) == {9}


def test_a_target_row_without_quota_is_given_only_when_nothing_else_is_there():
    quota_T = ints(0, 2, 1, 0)
    supply = Supply(np.zeros(4, dtype=np.int64), quota_T, np.arange(4))
    rows = np.zeros(3, dtype=np.int64)
    for number, expected in ((2, 0), (3, 1), (4, 2)):
        wanted = Wanted(
            np.zeros(number, dtype=np.int64), np.arange(number), None, (np.zeros(number, dtype=np.int64),)
        )
        found_T = degrees(assign(wanted, supply, seed=1, stream="x"), 4)
        assert found_T[quota_T == 0].sum() == expected
    assert (
        degrees(assign(Wanted(rows, np.arange(3)), supply, seed=1, stream="x"), 4).tolist()
        == quota_T.tolist()
    )


def bridge(users, films, pairs, seed):
    """Degrees of both sides of a graph without double pairs, heavy tailed in both directions."""
    random = np.random.default_rng(seed)
    likes_U, seen_F = random.lognormal(0, 1.2, users), random.lognormal(0, 1.5, films)
    weight = np.outer(likes_U, seen_F)
    scale = np.partition(-np.log(random.random(weight.shape)) / weight, pairs, axis=None)[pairs]
    chosen = -np.log(random.random(weight.shape)) / weight < scale
    return chosen.sum(axis=1), chosen.sum(axis=0)


def test_a_bridge_as_large_as_movielens_never_repeats_a_pair():
    rated_U, seen_F = bridge(943, 1682, 100_000, 5)
    user_R = np.repeat(np.arange(943), rated_U)
    rows = len(user_R)
    group_F = np.arange(1682) % 8
    random = np.random.default_rng(1)
    group_R = random.choice(8, rows, p=np.bincount(group_F, seen_F) / seen_F.sum())
    begin = time.process_time()
    wanted = Wanted(group_R, np.arange(rows), None, (user_R,))
    supply = Supply(group_F, seen_F, np.arange(1682))
    target_R = assign(wanted, supply, seed=1, stream="x")
    seconds = time.process_time() - begin
    check(wanted, supply, target_R)
    assert (target_R >= 0).all()
    assert variation(degrees(target_R, 1682), seen_F) <= 0.02
    assert np.abs(degrees(target_R, 1682) - seen_F).sum() / 2 / rows <= 0.02
    assert (group_F[target_R] == group_R).mean() > 0.97
    assert seconds < 20


def test_complete_blocks_are_found():
    """A user who has rated all films; a whole block of users who have."""
    rated_U = np.concatenate([np.full(30, 200), np.arange(1, 100)])
    user_R = np.repeat(np.arange(len(rated_U)), rated_U)
    quota_T = np.random.default_rng(2).integers(1, 80, 200)
    wanted = Wanted(np.zeros(len(user_R), dtype=np.int64), np.arange(len(user_R)), None, (user_R,))
    supply = Supply(np.zeros(200, dtype=np.int64), quota_T, np.arange(200))
    target_R = assign(wanted, supply, seed=1, stream="x")
    check(wanted, supply, target_R)
    assert (target_R >= 0).all()


def test_one_to_one_with_as_many_rows_as_target_rows():
    rows = 3000
    random = np.random.default_rng(4)
    scope_R = random.integers(0, 100, rows)
    own_R = random.permutation(rows)
    wanted = Wanted(
        random.integers(0, 4, rows), np.arange(rows), scope_R, (np.zeros(rows, dtype=np.int64),), (own_R,)
    )
    scope_T = np.empty(rows, dtype=np.int64)
    scope_T[own_R] = scope_R
    supply = Supply(random.integers(0, 4, rows), random.integers(0, 3, rows), np.arange(rows), scope_T)
    target_R = assign(wanted, supply, seed=1, stream="x")
    check(wanted, supply, target_R)
    assert sorted(target_R.tolist()) == list(range(rows))


def test_one_row_too_many_is_left():
    wanted = Wanted(np.zeros(6, dtype=np.int64), np.arange(6), None, (np.zeros(6, dtype=np.int64),))
    supply = Supply(np.zeros(5, dtype=np.int64), np.ones(5, dtype=np.int64), np.arange(5))
    target_R = assign(wanted, supply, seed=1, stream="x")
    assert sorted(target_R.tolist()) == [UNRESOLVED, 0, 1, 2, 3, 4]


def test_a_chain_of_moves_finds_the_only_matching():
    """Row i must avoid all but target rows i and i + 1: one matching, found by moves one after the other."""
    rows = 12
    avoid = [(np.arange(rows) + 2 + turn) % rows for turn in range(rows - 2)]
    avoid[-1][0] = 1  # row 0 must take its own, so that every other must
    wanted = Wanted(
        np.zeros(rows, dtype=np.int64), np.arange(rows), None, (np.zeros(rows, dtype=np.int64),), tuple(avoid)
    )
    supply = Supply(np.zeros(rows, dtype=np.int64), np.ones(rows, dtype=np.int64), np.arange(rows))
    target_R = assign(wanted, supply, seed=3, stream="x")
    check(wanted, supply, target_R)
    assert (target_R >= 0).all()


def test_scopes_without_target_rows_or_rows():
    wanted = Wanted(ints(0, 0, 1, NOBODY, SELF), np.arange(5), ints(1, 2, 9, 9, 9))
    supply = Supply(ints(0, 0), ints(5, 0), np.arange(2), ints(1, 3))
    assert assign(wanted, supply, seed=1, stream="x").tolist() == [0, UNRESOLVED, UNRESOLVED, NOBODY, SELF]


@pytest.mark.parametrize("rows", [0, 3])
def test_nothing_to_give(rows):
    wanted = Wanted(np.zeros(rows, dtype=np.int64), np.arange(rows))
    supply = Supply(ints(), ints(), ints())
    assert assign(wanted, supply, seed=1, stream="x").tolist() == [UNRESOLVED] * rows


def test_the_same_again_and_something_else_for_another_seed():
    random = np.random.default_rng(6)
    user_R = np.sort(random.integers(0, 50, 2000))
    wanted = Wanted(random.integers(0, 3, 2000), np.arange(2000), None, (user_R,))
    supply = Supply(random.integers(0, 3, 300), random.integers(0, 15, 300), np.arange(300))
    first, again, other, stream = (
        assign(wanted, supply, seed=seed, stream=stream)
        for seed, stream in ((1, "x"), (1, "x"), (2, "x"), (1, "y"))
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.9
    assert (first != stream).mean() > 0.9


def test_within_a_group_no_order_meets_another():
    """Row numbers and numbers of target rows, and rows of one label, are as good as independent."""
    rows, targets = 40_000, 4000
    wanted = Wanted(np.arange(rows) % 2, np.arange(rows), None, (np.arange(rows) // 4,))
    supply = Supply(np.arange(targets) % 2, np.full(targets, 10), np.arange(targets))
    target_R = assign(wanted, supply, seed=1, stream="x")
    limit = 4 / np.sqrt(rows)
    assert abs(np.corrcoef(np.arange(rows), target_R)[0, 1]) < limit
    assert abs(np.corrcoef(target_R[::4], target_R[2::4])[0, 1]) < 2 * limit
    assert abs(np.corrcoef(target_R[:-4], target_R[4:])[0, 1]) < limit


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Wanted(ints(-4), ints(0)),
        lambda: Wanted(ints(0), ints(0, 1)),
        lambda: Wanted(ints(0), ints(0), None, (ints(0, 1),)),
        lambda: Supply(ints(0), ints(-1), ints(0)),
        lambda: Supply(ints(0), ints(1), ints(0), ints(0, 1)),
        lambda: assign(
            Wanted(ints(0), ints(0), ints(0)), Supply(ints(0), ints(1), ints(0)), seed=1, stream="x"
        ),
    ],
)
def test_wrong_arrays_are_refused(wrong):
    with pytest.raises(ValueError, match=r"shape|group|quota|scopes"):
        wrong()


@pytest.mark.soak
@pytest.mark.parametrize("kept", ["nothing", "apart", "scopes, apart, avoid"])
def test_ten_million_rows_and_a_million_target_rows(kept):
    """Under 60 s of one core and 2.5 GiB, with what the arrays given hold."""
    random = np.random.default_rng(0)
    rows, targets = 10_000_000, 1_000_000
    tracemalloc.start()
    ids_R, ids_T = np.arange(rows), np.arange(targets)
    group_R, group_T = random.integers(0, 64, rows), random.integers(0, 64, targets)
    quota_T = random.geometric(0.1, targets) - 1
    scope_R = scope_T = None
    if "scopes" in kept:
        scope_R, scope_T = random.integers(0, 100_000, rows), random.integers(0, 100_000, targets)
    apart = (np.sort(random.integers(0, targets, rows)),) if "apart" in kept else ()
    avoid = (random.integers(0, targets, rows),) if "avoid" in kept else ()
    wanted, supply = Wanted(group_R, ids_R, scope_R, apart, avoid), Supply(group_T, quota_T, ids_T, scope_T)
    begin = time.process_time()
    target_R = assign(wanted, supply, seed=1, stream="x")
    seconds = time.process_time() - begin
    peak = tracemalloc.get_traced_memory()[1] / 2**30
    tracemalloc.stop()
    assert seconds < 60, f"{seconds:.0f} s, {peak:.2f} GiB"
    assert peak < 2.5, f"{seconds:.0f} s, {peak:.2f} GiB"
    assert (target_R == UNRESOLVED).mean() < 1e-4
