"""The small peers of our own: right values, right marginals, and as much dependence as their method keeps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from comparison.dataset import Split
from comparison.metrics import missingness, trends
from comparison.peers import PEERS, Task, load
from comparison.peers.bootstrap import bandwidth
from made_tables import MIXED, draw

OURS = ["cart", "bootstrap", "independent", "copy", "fresh"]
TRAIN, HELD = draw(1500, 1), draw(400, 2)


def sample(name: str, rows: int, seed: int = 1, fresh: pd.DataFrame | None = None) -> pd.DataFrame:
    """Fit and draw."""
    peer = PEERS[name]
    task = Task(MIXED, Split(TRAIN, HELD, fresh), seed, 60, dict(peer.options))
    made: pd.DataFrame = load(peer).fit(task)(rows)
    return made.reset_index(drop=True)


@pytest.mark.parametrize("name", OURS)
def test_a_peer_gives_every_column_and_real_categories(name: str) -> None:
    """As many rows as asked for, no value of a category that is not in the source."""
    made = sample(name, 200)
    assert len(made) == 200
    assert set(made.columns) == set(MIXED.kinds)
    assert set(made["job"].dropna()) <= {"none", "clerk", "cook", "driver"}


@pytest.mark.parametrize("name", ["cart", "bootstrap", "independent"])
def test_a_seed_gives_the_same_rows_and_another_seed_others(name: str) -> None:
    """Randomness comes from the seed alone."""
    first, again, other = (sample(name, 300, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first["income"].equals(other["income"])


def test_trees_keep_dependence_and_missing_cells_and_shuffled_columns_do_not() -> None:
    """Half of the way from independent columns to real rows is little to ask of trees."""
    found = {name: sample(name, 1500) for name in ("cart", "independent")}
    agreement = {name: trends.dependence(TRAIN, HELD, made, MIXED) for name, made in found.items()}
    assert agreement["cart"] > 0.7
    assert agreement["independent"] < 0.15
    assert missingness.rule_share(TRAIN, found["cart"], MIXED) == 1
    assert missingness.rule_share(TRAIN, found["independent"], MIXED) < 0.9


def test_smoothed_bootstrap_blurs_numbers_by_its_bandwidth() -> None:
    """The variance of a number grows by the square of the bandwidth; within four deviations of a variance."""
    made = sample("bootstrap", 1500)
    width = bandwidth(TRAIN["income"].to_numpy())
    expected = TRAIN["income"].var() + width**2
    assert made["income"].var() == pytest.approx(expected, rel=4 * np.sqrt(2 / 1500))
    assert width > 0
    assert not set(made["income"]) & set(TRAIN["income"])


def test_bandwidth_survives_columns_without_spread() -> None:
    """Equal values stay equal; a column of mostly one value takes its deviation."""
    assert bandwidth(np.full(10, 3.0)) == 0
    assert bandwidth(np.array([3.0])) == 0
    assert bandwidth(np.array([0.0] * 9 + [1.0])) > 0


def test_fresh_rows_are_taken_where_there_are_any() -> None:
    """Else half of the held-out rows."""
    fresh = draw(100, 9)
    assert sample("fresh", 100, fresh=fresh)["id"].tolist() == fresh["id"].tolist()
    half = sample("fresh", 1500)
    assert len(half) == 200
    assert set(half["id"]) < set(HELD["id"])


@pytest.mark.slow
def test_our_engine_is_fitted_with_the_key_and_drawn_from() -> None:
    """The adapter gives the columns of the source."""
    peer = PEERS["kinsynth"]
    task = Task(MIXED, Split(TRAIN, HELD, None), 1, 60, {"training.max_epochs": "1"})
    made = load(peer).fit(task)(150)
    assert len(made) == 150
    assert list(made.columns) == list(MIXED.kinds)
    assert made["id"].is_unique
