"""Lines: a number that is a factor times another one, plus a constant, rounded as the column is."""

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
    NUMBERS,
    ROUNDINGS,
    Formula,
    Numbers,
    holds,
    is_complete,
    is_computable,
    measured,
    spread,
    steps_of,
    write_numbers,
)
from kinsynth.rules.view import View

_TRIAL = 60
_DIGITS = range(1, 13)


@dataclass(frozen=True)
class Line(Formula):
    """``columns[0]`` is ``factor * columns[1] + offset``."""

    kind: ClassVar[str] = "line"
    columns: tuple[str, ...]
    complete: bool
    factor: float
    offset: float
    rounding: str
    measure: Measure

    @classmethod
    def find(cls, view: View) -> Iterator[tuple[str, ...]]:
        """Name pairs whose sampled values lie on a line, up to rounding."""
        for family in (NUMBERS, ("date",), ("datetime",)):
            names = measured(view, *family)
            trial = spread(view, names, _TRIAL)
            pairs = list(combinations(names, 2))
            for target, source in [pair[::-1] for pair in pairs] + pairs:
                measure = view.measure(target)
                assert measure is not None, "measured columns have one"
                if _is_straight(trial[source], trial[target], 1.01 / steps_of(measure)):
                    yield target, source

    @classmethod
    def fit(cls, view: View, columns: tuple[str, ...]) -> Line | None:
        """Find the roundest factor and offset with which all rows agree."""
        target, source = columns
        measure = view.measure(target)
        if measure is None or measure.kind == "float" or len(view.code(source)[1]) < 3:
            return None
        if not (is_computable(view, target) and is_computable(view, source)):
            return None
        present_R = ~(view.missing(target) | view.missing(source))
        x_P, y_P = view.number(source)[present_R], view.number(target)[present_R]
        if not len(x_P) or x_P.min() == x_P.max():
            return None
        complete = is_complete(view, target, (source,))
        first, last = int(x_P.argmin()), int(x_P.argmax())
        slope = (y_P[last] - y_P[first]) / (x_P[last] - x_P[first])
        few = {name: values[:: max(1, len(values) // 200)] for name, values in (("x", x_P), ("y", y_P))}
        for factor in dict.fromkeys(float(f"{slope:.{digits}g}") for digits in _DIGITS):
            middle = float(np.median(y_P - factor * x_P))
            for offset in dict.fromkeys([0.0, *(round(middle, digits) for digits in range(7))]):
                if np.abs(few["y"] - factor * few["x"] - offset).max() > 1.0 / steps_of(measure):
                    continue
                for rounding in ROUNDINGS:
                    rule = cls(columns, complete, factor, offset, rounding, measure)
                    if factor and holds(rule, view):
                        return rule
        return None

    @classmethod
    def count_breaking(cls, view: View, columns: tuple[str, ...]) -> int:  # noqa: ARG003
        """Give 0: rows that lie on no line say nothing about which one was meant."""
        return 0

    def predict(self, columns: Columns) -> pa.Array:
        """Compute the line."""
        number_R = self.factor * as_numbers(columns[self.columns[1]]) + self.offset
        return write_numbers(number_R, self.measure, self.rounding)


def _is_straight(x_T: Numbers, y_T: Numbers, tolerance: float) -> bool:
    """Tell whether points lie on the line through the outermost two, as far as rounding allows."""
    present_T = np.isfinite(x_T) & np.isfinite(y_T)
    if present_T.sum() < 5:
        return False
    x_T, y_T = x_T[present_T], y_T[present_T]
    first, last = int(x_T.argmin()), int(x_T.argmax())
    if x_T[first] == x_T[last] or y_T[first] == y_T[last]:
        return False
    slope = (y_T[last] - y_T[first]) / (x_T[last] - x_T[first])
    return bool(np.abs(y_T - y_T[first] - slope * (x_T - x_T[first])).max() <= 2 * tolerance)
