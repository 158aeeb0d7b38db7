"""Products: a number that is one number times another, rounded as the column is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import numpy as np
import pyarrow as pa

from kinsynth.columns.measure import Measure, as_numbers
from kinsynth.rules.base import Columns
from kinsynth.rules.formula import (
    FEWEST_TRIALS,
    NUMBERS,
    ROUNDINGS,
    TRIAL_STAGES,
    Formula,
    Numbers,
    holds,
    is_complete,
    is_computable,
    measured,
    steps_of,
    telling_rows,
    write_numbers,
)
from kinsynth.rules.view import View

_TRIAL = 40


@dataclass(frozen=True)
class Product(Formula):
    """``columns[0]`` is ``columns[1] * columns[2]``."""

    kind: ClassVar[str] = "product"
    columns: tuple[str, ...]
    complete: bool
    rounding: str
    measure: Measure

    @classmethod
    def find(cls, view: View) -> Iterator[tuple[str, ...]]:
        """Name products that hold on a few rows, up to rounding."""
        names = measured(view, *NUMBERS)
        if len(names) < 3:
            return
        pairs = np.array(list(combinations(range(len(names)), 2)))
        number_CR = np.stack([view.number(name) for name in names])
        for place, target in enumerate(names):
            number_CT = number_CR[:, telling_rows(view, target, _TRIAL)]
            slack_C = _slack(view, target, names)
            open_G = pairs
            for rows in TRIAL_STAGES:
                number_CS = number_CT[:, rows]
                product_GS = number_CS[open_G[:, 0]] * number_CS[open_G[:, 1]]
                slack_G = np.maximum(slack_C[open_G[:, 0]], slack_C[open_G[:, 1]])
                off_GS = np.abs(product_GS - number_CS[place])
                open_G = open_G[~(off_GS > slack_G[:, None] + 1e-9 * np.abs(product_GS)).any(axis=1)]
            for left, right in open_G[(open_G != place).all(axis=1)]:
                both_T = np.isfinite(number_CT[left] * number_CT[right])
                if both_T.sum() >= FEWEST_TRIALS:
                    yield target, names[left], names[right]

    @classmethod
    def fit(cls, view: View, columns: tuple[str, ...]) -> Product | None:
        """Make the rule where all rows agree with one way of rounding."""
        target, *sources = columns
        measure = view.measure(target)
        varied = all(_distinct(view, name) > 1 for name in columns)
        if measure is None or not all(is_computable(view, name) for name in columns) or not varied:
            return None
        complete = is_complete(view, target, tuple(sources))
        for rounding in ROUNDINGS:
            rule = cls(columns, complete, rounding, measure)
            if holds(rule, view):
                return rule
        return None

    @classmethod
    def count_breaking(cls, view: View, columns: tuple[str, ...]) -> int:
        """Count rows whose product is another, however it is rounded."""
        measure = view.measure(columns[0])
        rules = [cls(columns, False, rounding, measure) for rounding in ROUNDINGS if measure is not None]
        return min((int(rule.broken(view.columns).sum()) for rule in rules), default=0)

    def predict(self, columns: Columns) -> pa.Array:
        """Multiply."""
        left_R, right_R = (as_numbers(columns[name]) for name in self.columns[1:])
        return write_numbers(left_R * right_R, self.measure, self.rounding)


def _slack(view: View, target: str, names: list[str]) -> Numbers:
    """Give for each source how far a product may be off: whole numbers need no rounding, others one step."""
    steps = [steps_of(view.measure(name)) for name in names]
    return np.array([1e-6 if step == 1 else 1.01 / steps_of(view.measure(target)) for step in steps])


def _distinct(view: View, name: str) -> int:
    return len(view.code(name)[1].drop_null())
