"""Aims: how many rows of a table hold each code, led to the shares of the source.

A table is drawn twice. The first time each row follows its own chances, which are added up step by step:
they tell how many rows of each code the steps ahead bring. The second time chances are multiplied by what is
missing over what is ahead, at each step anew, so that what one step leaves to chance the next ones mend.
Source of the multiplying: Deming, Stephan, "On a least squares adjustment of a sampled frequency table when
the expected marginal totals are known", 1940.
Shape letters: B rows of a step, C sub-columns, K codes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from kinsynth.encoded import IntArray

Numbers = NDArray[np.float64]
MOST_ROWS = 1 << 16  # of more rows in-degrees are so large that a row more or less is nothing
MOST_CHANGE = 4.0
_ROUNDS = 3
_NOTHING = 1e-6


class Aims:
    """What the rows of one drawing are led to, and how far they are.

    Args:
        shares: By sub-column the share of each code; NaN for codes that go by the chances of the rows alone.
        start_N: A uniform number for each of them, by which its numbers of rows are rounded.
    """

    def __init__(self, shares: Mapping[int, Numbers], start_N: Numbers) -> None:
        each = zip(shares.items(), start_N.tolist(), strict=True)
        self._aims = {column: _Aim(share_K, start) for (column, share_K), start in each}
        self._leads = False

    def lead(self) -> None:
        """Begin the second drawing: from now on chances are changed."""
        self._leads = True
        for aim in self._aims.values():
            aim.begin()

    def change(self, column: int, chance_BK: Numbers) -> Numbers:
        """Give the chances by which a step draws a sub-column, shape (B, K).

        A code that is led gets more or less of what such codes have in a row; others keep their chances.
        """
        if column not in self._aims:
            return chance_BK
        aim = self._aims[column]
        if self._leads:
            return aim.changed(chance_BK)
        aim.note(chance_BK)
        return chance_BK

    def count(self, codes_BC: IntArray) -> None:
        """Take down the rows of a step."""
        for column, aim in self._aims.items() if self._leads else ():
            aim.count(codes_BC[:, column])


class _Aim:
    """The aim of one sub-column."""

    def __init__(self, share_K: Numbers, start: float) -> None:
        self._start = start
        self._led_K = ~np.isnan(share_K)
        self._share_L = share_K[self._led_K]
        self._steps: list[Numbers] = []
        self._ahead_SL = self._left_L = np.zeros(0)
        self._step = 0

    def note(self, chance_BK: Numbers) -> None:
        """Add up the chances of one step."""
        self._steps.append(chance_BK[:, self._led_K].sum(axis=0))

    def begin(self) -> None:
        """Share out the rows that are expected in all steps."""
        steps_SL = np.array(self._steps).reshape(len(self._steps), len(self._share_L))
        self._ahead_SL = steps_SL[::-1].cumsum(axis=0)[::-1]
        rows = round(float(steps_SL.sum()))
        self._left_L = round_shares(self._share_L, rows, self._start).astype(np.float64)

    def changed(self, chance_BK: Numbers) -> Numbers:
        """Multiply the chances of codes by what is left of their rows over what all steps left bring."""
        ahead_L, led_BL = self._ahead_SL[self._step], chance_BK[:, self._led_K]
        self._step += 1
        factor_L = np.ones(len(ahead_L))
        np.divide(self._left_L, ahead_L, out=factor_L, where=ahead_L > _NOTHING)
        wanted_L = led_BL.sum(axis=0) * factor_L.clip(1 / MOST_CHANGE, MOST_CHANGE)
        changed_BK = chance_BK.copy()
        changed_BK[:, self._led_K] = fit_sums(led_BL, wanted_L)
        return changed_BK

    def count(self, code_B: IntArray) -> None:
        """Take the rows of a step from what is left."""
        self._left_L = self._left_L - np.bincount(code_B, minlength=len(self._led_K))[self._led_K]


def round_shares(share_K: Numbers, rows: int, start: float) -> NDArray[np.int64]:
    """Share out rows in whole numbers: the sums from the first code on are rounded, shape (K,).

    So those of neighbouring codes are right together as well, and the mean of counts stays, nearly
    (systematic sampling).

    Args:
        share_K: Shares.
        rows: Rows to share out.
        start: A number in [0, 1): over all of them each code gets its exact share on average.

    >>> round_shares(np.array([0.5, 0.3, 0.2]), 7, 0.4).tolist()
    [3, 3, 1]
    """
    ends_K = share_K.cumsum()
    reached_K = (
        np.floor(ends_K * (rows / max(float(ends_K[-1]), _NOTHING)) + start) if len(ends_K) else ends_K
    )
    return np.diff(np.minimum(reached_K, rows), prepend=0).astype(np.int64)


def fit_sums(chance_BL: Numbers, wanted_L: Numbers) -> Numbers:
    """Change chances so that over the rows they add up to what is wanted, nearly, and in each row as before.

    Args:
        chance_BL: Chances; zeros stay.
        wanted_L: Wanted sums over the rows, up to a factor.
    """
    whole_B1 = chance_BL.sum(axis=1, keepdims=True)
    for _ in range(_ROUNDS):
        sums_L = chance_BL.sum(axis=0)
        chance_BL = chance_BL * np.divide(wanted_L, sums_L, out=np.zeros_like(sums_L), where=sums_L > 0)
        sums_B1 = chance_BL.sum(axis=1, keepdims=True)
        chance_BL = chance_BL * np.divide(whole_B1, sums_B1, out=np.zeros_like(sums_B1), where=sums_B1 > 0)
    return chance_BL
