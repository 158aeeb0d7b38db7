"""What binned scores do not see of numbers: their tails, the values that repeat, and the grid they lie on.

References are all real rows of the split, training and held-out: extremes and repeated values need many rows.
Lower is better in all.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from comparison.dataset import Dataset
from comparison.metrics.features import present

TAILS = (0.001, 0.999)
SPIKE_SHARE = 0.005
FEWEST_VALUES = 20
DECIMALS = 6
USUAL_SHARE = 0.999


def tail_error(real: pd.DataFrame, made: pd.DataFrame, dataset: Dataset) -> float | None:
    """Mean distance of the quantiles 0.1 and 99.9 %, as a share of their distance in real rows.

    A column without that distance is left out; one without synthetic values counts 1.
    """
    found = []
    for column in dataset.numbers:
        sides = [present(side[column]) for side in (real, made)]
        if not len(sides[0]):
            continue
        low, high = np.quantile(sides[0], TAILS)
        if high > low:
            tails = np.quantile(sides[1], TAILS) if len(sides[1]) else None
            found.append(1.0 if tails is None else float(np.abs(tails - [low, high]).mean() / (high - low)))
    return float(np.mean(found)) if found else None


def spikes(values: np.ndarray) -> np.ndarray:
    """Values that at least one in 200 rows holds, in a column of over 20 different ones."""
    found, counts = np.unique(values, return_counts=True)
    if len(found) <= FEWEST_VALUES:
        return np.empty(0)
    return found[counts >= SPIKE_SHARE * len(values)]


def spike_error(real: pd.DataFrame, made: pd.DataFrame, dataset: Dataset) -> float | None:
    """Summed difference of the shares of repeated values over their real share, mean over columns."""
    found = []
    for column in dataset.numbers:
        sides = [present(side[column]) for side in (real, made)]
        repeated = spikes(sides[0])
        if len(repeated):
            shares = [np.array([np.mean(near(side, value)) for value in repeated]) for side in sides]
            found.append(float(np.abs(shares[0] - np.nan_to_num(shares[1])).sum() / shares[0].sum()))
    return float(np.mean(found)) if found else None


def near(values: np.ndarray, value: float) -> np.ndarray:
    """Whether numbers equal one but for what writing and reading may change."""
    return np.abs(values - value) <= 1e-9 * max(1.0, abs(value)) if len(values) else np.array([False])


def lattice(values: np.ndarray) -> tuple[float, float] | None:
    """The grid ``(offset, step)`` of all values, with the fewest decimals up to 6; None if there is none.

    Numbers rounded to few decimals have the grid of those decimals. One value alone has an infinite step.
    """
    for decimals in range(DECIMALS + 1):
        scale = 10.0**decimals
        whole = np.rint(values * scale)
        if np.all(np.abs(values * scale - whole) <= 1e-6 * np.maximum(1.0, np.abs(whole) * 1e-6)):
            if np.abs(whole).max(initial=0) > 2**53:
                return None
            integers = whole.astype(np.int64)
            step = math.gcd(*np.unique(integers - integers.min()).tolist())
            return (integers.min() / scale, step / scale) if step else (integers.min() / scale, math.inf)
    return None


def usual(values: np.ndarray) -> np.ndarray:
    """The most frequent values that make up 99.9 % of the rows: one odd value does not undo a grid."""
    found, counts = np.unique(values, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    enough = int(np.searchsorted(np.cumsum(counts[order]), USUAL_SHARE * len(values)))
    return found[order[: enough + 1]]


def violations(real: pd.DataFrame, made: pd.DataFrame, dataset: Dataset) -> float | None:
    """Share of synthetic values off the source's grid, less that of real ones, mean over columns."""
    found = []
    for column in dataset.numbers:
        sides = [present(side[column]) for side in (real, made)]
        grid = lattice(usual(sides[0])) if len(sides[0]) else None
        if grid is not None and len(sides[1]):
            shares = [float(np.mean(off(side, *grid))) for side in sides]
            found.append(max(0.0, shares[1] - shares[0]))
    return float(np.mean(found)) if found else None


def off(values: np.ndarray, offset: float, step: float) -> np.ndarray:
    """Whether values lie off a grid, by more than a thousandth of its step."""
    if math.isinf(step):
        return ~near(values, offset)
    places = (values - offset) / step
    return np.abs(places - np.rint(places)) > 1e-3
