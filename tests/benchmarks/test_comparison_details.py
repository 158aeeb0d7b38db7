"""Utility, tails, spikes, grids and missing cells against known values."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from comparison.dataset import Dataset
from comparison.metrics import missingness, numbers, utility
from made_tables import MIXED, draw, shuffle

ONE = Dataset("n", "n", {"x": "numeric"}, (), None)


def column(values: object) -> pd.DataFrame:
    """A table of one number."""
    return pd.DataFrame({"x": np.asarray(values, dtype=float)})


def test_utility_of_the_training_rows_has_no_gap() -> None:
    """The same rows teach the same."""
    train, held = draw(800, 1), draw(400, 2)
    found = utility.measure(train, held, train, MIXED)
    assert list(found["targets"]) == ["happy", "employer", "income"]
    assert found["mean_gap"] == 0
    assert found["targets"]["happy"]["real"] > 0.85


def test_utility_of_independent_columns_is_that_of_guessing() -> None:
    """What trees learn from noise may fit the real rows or their opposite: half in the mean over shuffles."""
    train, held = draw(400, 1), draw(400, 2)
    found = [utility.learn(shuffle(train, seed), held, "happy", MIXED) for seed in range(8)]
    assert abs(np.mean(found) - 0.5) < 4 * np.std(found, ddof=1) / math.sqrt(8)
    assert utility.learn(train, held, "happy", MIXED) > 0.85


def test_a_target_with_one_value_teaches_nothing() -> None:
    """A collapsed generator gets a half, not an error."""
    made = draw(300, 3).assign(happy="yes")
    assert utility.learn(made, draw(300, 2), "happy", MIXED) == 0.5


def test_tail_error_is_the_distance_over_the_spread() -> None:
    """All values moved by a tenth of the spread."""
    real = np.linspace(0, 1, 10_001)
    low, high = np.quantile(real, numbers.TAILS)
    assert numbers.tail_error(column(real), column(real + 0.1 * (high - low)), ONE) == pytest.approx(0.1)
    assert numbers.tail_error(column(real), column([np.nan]), ONE) == 1


def test_spike_error_is_the_mass_that_is_misplaced() -> None:
    """Half of the rows are 0 and lose half of their mass; blurred spikes lose all of it."""
    rest = np.linspace(1, 2, 500)
    real = column([*np.zeros(500), *rest])
    assert numbers.spike_error(real, column([*np.zeros(250), *np.linspace(1, 2, 750)]), ONE) == pytest.approx(
        0.5
    )
    assert numbers.spike_error(real, column([*np.full(500, 0.01), *rest]), ONE) == pytest.approx(1)
    assert numbers.spike_error(column(rest), column(rest), ONE) is None


@pytest.mark.parametrize(
    ("values", "grid"),
    [
        ([10_000, 30_000, 80_000], (10_000, 10_000)),
        ([0.05, 0.15, 1.05], (0.05, 0.1)),
        ([1.25, 2.5, 3.75], (1.25, 1.25)),
        ([7, 7, 7], (7, math.inf)),
        ([-3, 0, 3], (-3, 3)),
    ],
)
def test_lattice_is_the_coarsest_grid(values: list[float], grid: tuple[float, float]) -> None:
    """Decimals first, then the common divisor of the differences."""
    assert numbers.lattice(np.array(values)) == pytest.approx(grid)


def test_continuous_numbers_have_no_grid() -> None:
    """More than six decimals are no grid."""
    assert numbers.lattice(np.random.default_rng(0).random(50)) is None


def test_violations_are_the_share_off_the_grid() -> None:
    """One in four."""
    real = column([10_000, 20_000, 50_000])
    assert numbers.violations(real, column([30_000, 70_000, 15_000, 0]), ONE) == 0.25
    assert numbers.violations(real, column([np.nan]), ONE) is None


def test_one_odd_value_does_not_undo_a_grid() -> None:
    """Its own share is granted to synthetic rows."""
    odd = [*np.repeat([10_000, 20_000, 50_000], 1000), 12_345]
    assert numbers.lattice(numbers.usual(np.array(odd))) == (10_000, 10_000)
    assert numbers.violations(column(odd), column(odd), ONE) == 0
    assert numbers.violations(column(odd), column([30_000, 12_345]), ONE) == pytest.approx(0.5 - 1 / 3001)


def test_utility_of_numbers_is_that_of_their_ranks() -> None:
    """A huge value is one rank above the rest."""
    ranks = np.array([1.0, 2.0, 2.0, 1e9])
    assert utility.rank(np.array([0.0, 2.0, 3.0, 1e12]), ranks).tolist() == [0, 0.5, 0.75, 1]


def test_missing_pattern_is_a_total_variation() -> None:
    """The same rows agree; without any missing cell there is nothing to compare."""
    rows = draw(500, 1)
    assert missingness.pattern_distance(rows, rows, MIXED) == 0
    idle = (rows["job"] == "none").mean()
    assert missingness.pattern_distance(rows, rows.ffill().bfill(), MIXED) == pytest.approx(idle)
    assert missingness.pattern_distance(*[rows[rows["job"] != "none"]] * 2, MIXED) is None


def test_missing_rule_is_found_and_measured() -> None:
    """Without a job there is no employer; independent columns forget it."""
    rows, fresh = draw(1000, 1), draw(1000, 2)
    assert set(missingness.rules(rows, MIXED)) == {("job", "none", "employer"), ("job", "none", "start")}
    assert missingness.rule_share(rows, fresh, MIXED) == 1
    idle = (fresh["job"] == "none").mean()
    forgotten = missingness.rule_share(rows, shuffle(fresh, 0), MIXED)
    assert forgotten == pytest.approx(idle, abs=4 * math.sqrt(idle / (idle * 1000)) / 2)
