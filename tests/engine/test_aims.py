"""Aims: as many rows hold each code as the shares say, and each row still goes by what it knows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.engine_toys import QUICK
from kinsynth.encoded import ChildCount, Encoded, EncodedTable, SubColumn
from kinsynth.engine import drawing
from kinsynth.engine.aims import Aims, fit_sums, round_shares
from kinsynth.engine.sampled import concatenate
from kinsynth.engine.sampler import sample
from kinsynth.engine.trainer import train

CODES, UNLED, KINDS, OWNERS = 30, 2, 5, 200
PLAN = replace(QUICK, block_size=256, max_steps=150)


def owners(seed: int = 1) -> Encoded:
    """Owners of five kinds, with one to six rows; a row names one of 30 places, often of its owner's kind."""
    rng = np.random.default_rng(seed)
    kind, count = rng.integers(0, KINDS, OWNERS), rng.integers(0, 6, OWNERS)
    parent_R = np.repeat(np.arange(OWNERS), count + 1)
    of_kind = kind[parent_R] * 6 + rng.integers(0, 6, len(parent_R)) ** 2 % 6
    place = np.where(rng.random(len(parent_R)) < 0.8, of_kind, rng.integers(0, CODES, len(parent_R)))
    owner = EncodedTable(
        np.stack([kind, count], 1).astype(np.int32),
        (SubColumn(0, KINDS), SubColumn(1, 6, even_K=np.ones(6, dtype=np.bool_))),
        counts=(ChildCount("row", 1, np.arange(1, 7), np.arange(1, 7)),),
    )
    subs = (SubColumn(0, CODES, even_K=np.arange(CODES) >= UNLED), SubColumn(1, 2))
    codes_RC = np.stack([place, place % 2], 1).astype(np.int32)
    return Encoded({"owner": owner, "row": EncodedTable(codes_RC, subs, "owner", parent_R)})


def shares_of(encoded: Encoded) -> np.ndarray:
    table = encoded.tables["row"]
    share_K = np.bincount(table.codes_RC[:, 0], minlength=CODES) / table.rows
    return np.where(np.arange(CODES) < UNLED, np.nan, share_K)


@pytest.fixture(scope="module")
def models():
    encoded = owners()
    return {name: train(encoded, name, PLAN, seed=1) for name in encoded.tables}


def drawn(models, seed, share_K=None, rows=OWNERS, **more):
    shares = None if share_K is None else {"row": {0: share_K}}
    return concatenate(sample(models, {"owner": rows}, seed=seed, shares=shares, whole=True, **more)).tables


def off(table, share_K):
    """Rows too many or too few of each code that is led, of all rows that hold one."""
    count_K = np.bincount(table.codes_RC[:, 0], minlength=CODES)[UNLED:]
    return count_K - share_K[UNLED:] / share_K[UNLED:].sum() * count_K.sum()


def test_as_many_rows_hold_a_code_as_its_share_says(models):
    share_K = shares_of(owners())
    led = np.concatenate([off(drawn(models, seed, share_K)["row"], share_K) for seed in range(6)])
    free = np.concatenate([off(drawn(models, seed)["row"], share_K) for seed in range(6)])
    # Rounding to whole rows alone is 0.29; independent draws of some 23 rows were at 4.8.
    assert np.sqrt(np.square(led).mean()) < 1.0 < 0.6 * np.sqrt(np.square(free).mean())
    assert np.abs(led).max() < 4


def test_shares_that_differ_from_what_the_rows_say_are_met_as_well(models):
    share_K = shares_of(owners()) * np.where(np.arange(CODES) % 2, 1.4, 0.7)
    others = drawn(models, 3, shares_of(owners()))["row"]
    assert np.sqrt(np.square(off(others, share_K)).mean()) > 4
    assert np.sqrt(np.square(off(drawn(models, 3, share_K)["row"], share_K)).mean()) < 1.2


def test_codes_that_are_not_led_keep_their_number(models):
    share_K = shares_of(owners())
    led, free = (
        np.array([(drawn(models, seed, one)["row"].codes_RC[:, 0] < UNLED).sum() for seed in range(8)])
        for one in (share_K, None)
    )
    assert abs(led.mean() - free.mean()) < 4 * np.sqrt(2 * free.mean() / 8)


def test_rows_still_go_by_their_owners_and_what_follows_by_them(models):
    goes = []
    for share_K in (shares_of(owners()), None):
        tables = [drawn(models, seed, share_K) for seed in range(6)]
        hits = [
            one["owner"].codes_RC[one["row"].parent_R, 0] == one["row"].codes_RC[:, 0] // 6 for one in tables
        ]
        goes.append(np.concatenate(hits).mean())
        odd = np.concatenate([one["row"].codes_RC for one in tables])
        assert (odd[:, 0] % 2 == odd[:, 1]).mean() > 0.9
    rows = 6 * OWNERS * 3.5
    assert abs(goes[0] - goes[1]) < 5 * np.sqrt(2 * goes[1] * (1 - goes[1]) / rows)
    assert goes[0] > 0.6


def test_any_number_of_threads_gives_the_same_rows(models):
    share_K = shares_of(owners())
    one, other = (drawn(models, 4, share_K, threads=threads)["row"].codes_RC for threads in (1, 3))
    assert one.tobytes() == other.tobytes()


def test_rows_of_several_blocks_and_very_many_rows_are_not_led(models, monkeypatch):
    share_K = shares_of(owners())
    free, led = drawn(models, 5, rows=300), drawn(models, 5, share_K, rows=300)
    assert free["row"].codes_RC.tobytes() == led["row"].codes_RC.tobytes(), "two blocks"
    monkeypatch.setattr(drawing, "MOST_ROWS", 100)
    free, led = drawn(models, 5), drawn(models, 5, share_K)
    assert free["row"].codes_RC.tobytes() == led["row"].codes_RC.tobytes(), "more than 100 rows"


def test_no_rows_and_no_codes_to_lead():
    aims = Aims({0: np.full(3, np.nan), 1: np.array([0.5, 0.5])}, np.array([0.1, 0.7]))
    aims.lead()
    chance_BK = np.zeros((0, 3))
    aims.count(np.zeros((0, 2), dtype=np.int32))
    assert aims.change(2, chance_BK) is chance_BK


def test_sums_are_fitted_and_rows_keep_theirs():
    rng = np.random.default_rng(0)
    chance_BL = rng.dirichlet(np.full(6, 0.5), 300) * rng.uniform(0.2, 1, (300, 1))
    chance_BL[:40, 2] = 0
    sums_L = chance_BL.sum(0)
    wanted_L = sums_L * rng.uniform(0.7, 1.4, 6)
    fitted_BL = fit_sums(chance_BL, wanted_L)
    assert np.allclose(fitted_BL.sum(1), chance_BL.sum(1))
    assert (fitted_BL[chance_BL == 0] == 0).all()
    target_L = wanted_L / wanted_L.sum() * sums_L.sum()
    assert np.abs(fitted_BL.sum(0) - target_L).max() < 0.05 * np.abs(sums_L - target_L).max()
    # Odds between two rows and two codes stay: only the codes as a whole get more or less.
    odds = [one[50:60, 0] * one[60:70, 1] / (one[60:70, 0] * one[50:60, 1]) for one in (chance_BL, fitted_BL)]
    assert np.allclose(*odds)


@pytest.mark.parametrize("rows", [0, 1, 7, 100, 1_721])
def test_rounded_shares_and_their_sums_are_within_one_of_the_exact_ones(rows):
    rng = np.random.default_rng(rows)
    share_K, starts = rng.dirichlet(np.full(40, 0.7)), (np.arange(400) + 0.5) / 400
    found_NK = np.array([round_shares(share_K, rows, start) for start in starts])
    assert (found_NK.sum(1) == rows).all()
    assert (np.abs(found_NK - share_K * rows) < 1).all()
    assert (np.abs((found_NK - share_K * rows).cumsum(1)) < 1 + 1e-9).all()
    assert np.abs(found_NK.mean(0) - share_K * rows).max() <= 2 / 400, "exact on average"


def test_no_codes_are_no_rows():
    assert round_shares(np.zeros(0), 0, 0.3).tolist() == []
