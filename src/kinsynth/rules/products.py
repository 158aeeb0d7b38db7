"""Products: a number that is one number times another, rounded as the column is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from kinsynth.columns.measure import Measure, as_numbers, read_measure, write_measure
from kinsynth.rules.base import Columns
from kinsynth.rules.formula import (
    NUMBERS,
    ROUNDINGS,
    Formula,
    holds,
    is_complete,
    measured,
    spread,
    steps_of,
    write_numbers,
)
from kinsynth.rules.view import View

_TRIAL = 40
_FEWEST_TRIALS = 8


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
        trial = spread(view, names, _TRIAL)
        pairs = list(combinations(names, 2))
        product_GT = np.stack([trial[left] * trial[right] for left, right in pairs])
        for target in names:
            measure = view.measure(target)
            assert measure is not None, "measured columns have one"
            slack_T = 1.01 / steps_of(measure) + 1e-9 * np.abs(trial[target])
            off_GT = np.abs(product_GT - trial[target]) > slack_T
            enough_G = np.isfinite(product_GT - trial[target]).sum(axis=1) >= _FEWEST_TRIALS
            for group in np.flatnonzero(~off_GT.any(axis=1) & enough_G):
                if target not in pairs[group]:
                    yield target, *pairs[group]

    @classmethod
    def fit(cls, view: View, columns: tuple[str, ...]) -> Product | None:
        """Make the rule where all rows agree with one way of rounding."""
        target, *sources = columns
        measure = view.measure(target)
        varied = all(_distinct(view, name) > 1 for name in columns)
        if measure is None or not varied:
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

    def to_json(self) -> dict[str, Any]:
        """Give names and numbers."""
        return {
            "kind": self.kind,
            "columns": list(self.columns),
            "complete": self.complete,
            "rounding": self.rounding,
            "measure": write_measure(self.measure),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Product:
        """Read what ``to_json`` gave."""
        measure = read_measure(document["measure"])
        return cls(tuple(document["columns"]), document["complete"], document["rounding"], measure)


def _distinct(view: View, name: str) -> int:
    return len(view.code(name)[1].drop_null())
