"""Sums: a number that is two or three others added up, or a moment that is another one plus a duration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from kinsynth.columns.measure import Measure, as_numbers
from kinsynth.rules.base import Columns
from kinsynth.rules.formula import (
    FEWEST_TRIALS,
    NUMBERS,
    TRIAL_STAGES,
    Formula,
    Numbers,
    holds,
    is_complete,
    is_computable,
    measured,
    spread,
    telling_rows,
    write_numbers,
)
from kinsynth.rules.view import View

_TRIAL = 40
_MOST_FOR_THREE = 40
_UNITS = {"date": (1.0,), "datetime": (1e6, 6e7, 3.6e9, 8.64e10)}


@dataclass(frozen=True)
class Sum(Formula):
    """``columns[0]`` is the first source plus the others, each times ``unit``."""

    kind: ClassVar[str] = "sum"
    columns: tuple[str, ...]
    complete: bool
    unit: float
    measure: Measure

    @classmethod
    def find(cls, view: View) -> Iterator[tuple[str, ...]]:
        """Name sums that hold on a few rows."""
        names = measured(view, *NUMBERS)
        yield from _find_sums(view, names, 2)
        if len(names) <= _MOST_FOR_THREE:
            yield from _find_sums(view, names, 3)
        trial = spread(view, names, _TRIAL)
        for kind, units in _UNITS.items():
            moments = measured(view, kind)
            both = spread(view, moments, _TRIAL)
            for start, end in combinations(moments, 2) if names else ():
                distance_T = both[end] - both[start]
                for number in _find_durations(names, trial, distance_T, units):
                    yield end, start, number
                for number in _find_durations(names, trial, -distance_T, units):
                    yield start, end, number

    @classmethod
    def fit(cls, view: View, columns: tuple[str, ...]) -> Sum | None:
        """Make the rule where all rows agree; sources that are always zero make no sum."""
        target, *sources = columns
        measure = view.measure(target)
        if (
            measure is None
            or not all(is_computable(view, name) for name in columns)
            or any(_is_constant(view, name) for name in columns)
        ):
            return None
        complete = is_complete(view, target, tuple(sources))
        for unit in _UNITS.get(view.kinds[target], (1.0,)):
            rule = cls(columns, complete, unit, measure)
            if holds(rule, view):
                return rule
        return None

    @classmethod
    def count_breaking(cls, view: View, columns: tuple[str, ...]) -> int:
        """Count rows that add up with no unit."""
        measure = view.measure(columns[0])
        units = _UNITS.get(view.kinds[columns[0]], (1.0,))
        rules = [cls(columns, False, unit, measure) for unit in units if measure is not None]
        return min((int(rule.broken(view.columns).sum()) for rule in rules), default=0)

    def predict(self, columns: Columns) -> pa.Array:
        """Add up."""
        first, *rest = (as_numbers(columns[name]) for name in self.columns[1:])
        total_R = first
        for number_R in rest:
            total_R = total_R + self.unit * number_R
        return write_numbers(total_R, self.measure, "half_even")


def _find_sums(view: View, names: list[str], terms: int) -> Iterator[tuple[str, ...]]:
    if len(names) <= terms:
        return
    number_CR = np.stack([view.number(name) for name in names])
    groups = np.array(list(combinations(range(len(names)), terms)))
    for place, target in enumerate(names):
        number_CT = number_CR[:, telling_rows(view, target, _TRIAL)]
        open_G = groups
        for rows in TRIAL_STAGES:
            total_GT = sum(number_CT[:, rows][open_G[:, term]] for term in range(terms))
            open_G = open_G[_agree_all(np.asarray(total_GT), number_CT[place, rows])]
        for group in open_G[(open_G != place).all(axis=1)]:
            if _agree(number_CT[place], number_CT[group].sum(axis=0)):
                yield target, *(names[one] for one in group)


def _find_durations(
    names: list[str], trial: dict[str, Numbers], distance_T: Numbers, units: tuple[float, ...]
) -> list[str]:
    """Name the numbers that are a distance in time, in one of the units."""
    number_CT = np.stack([trial[name] for name in names])
    enough_C = np.isfinite(number_CT - distance_T).sum(axis=1) >= FEWEST_TRIALS
    fits_C = np.zeros(len(names), dtype=bool)
    for unit in units:
        fits_C |= _agree_all(unit * number_CT, distance_T)
    return [name for name, fits in zip(names, fits_C & enough_C, strict=True) if fits]


def _agree_all(total_GT: Numbers, number_T: Numbers) -> Any:
    """Tell which groups agree wherever both sides are there."""
    off_GT = np.abs(total_GT - number_T) > 1e-6 + 1e-9 * np.abs(number_T)
    return ~off_GT.any(axis=1)


def _agree(left_T: Numbers, right_T: Numbers) -> bool:
    """Tell whether two columns agree wherever both are there, in enough places."""
    both_T = np.isfinite(left_T) & np.isfinite(right_T)
    close = np.isclose(left_T[both_T], right_T[both_T], rtol=1e-9, atol=1e-6)
    return bool(both_T.sum() >= FEWEST_TRIALS and close.all())


def _is_constant(view: View, name: str) -> bool:
    number_P = view.number(name)[~view.missing(name)]
    return not len(number_P) or bool(number_P.min() == number_P.max())
