"""Parts: a number that is the year, month, day, weekday, hour or minute of a date or moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kinsynth.columns.measure import Measure
from kinsynth.rules.base import Columns
from kinsynth.rules.formula import NUMBERS, Formula, Numbers, holds, is_complete, is_computable, write_numbers
from kinsynth.rules.view import View

_DAY_PARTS: dict[str, Callable[[pa.Array], pa.Array]] = {
    "year": pc.year,
    "quarter": pc.quarter,
    "month": pc.month,
    "day": pc.day,
    "day_of_year": pc.day_of_year,
    "week": pc.iso_week,
    "weekday_from_0": pc.day_of_week,
    "weekday_from_1": lambda values: pc.add(pc.day_of_week(values), 1),
}
_TIME_PARTS: dict[str, Callable[[pa.Array], pa.Array]] = {
    "hour": pc.hour,
    "minute": pc.minute,
    "second": pc.second,
}
PARTS = {
    "date": tuple(_DAY_PARTS),
    "datetime": (*_DAY_PARTS, *_TIME_PARTS),
    "time": tuple(_TIME_PARTS),
}
_TRIAL = 200


@dataclass(frozen=True)
class Part(Formula):
    """``columns[0]`` is a part of ``columns[1]``."""

    kind: ClassVar[str] = "part"
    columns: tuple[str, ...]
    complete: bool
    part: str
    measure: Measure

    @classmethod
    def find(cls, view: View) -> Iterator[tuple[str, ...]]:
        """Name pairs that a part of fits on a sample."""
        targets = [name for name in view.of_kinds(*NUMBERS) if is_computable(view, name)]
        targets = [name for name in targets if len(view.code(name)[1]) > 1]
        if not targets:
            return
        trial = view.sample
        place_T = np.linspace(0, trial.rows - 1, min(_TRIAL, trial.rows)).astype(np.int64)
        number_CT = np.stack([trial.number(name)[place_T] for name in targets])
        for source in view.of_kinds(*PARTS):
            values = trial.columns[source].take(pa.array(place_T))
            fits_C = np.zeros(len(targets), dtype=bool)
            for part in PARTS[view.kinds[source]]:
                off_CT = np.abs(number_CT - _take_part(part, values)) > 1e-6
                fits_C |= ~off_CT.any(axis=1)
            yield from ((target, source) for target, fits in zip(targets, fits_C, strict=True) if fits)

    @classmethod
    def fit(cls, view: View, columns: tuple[str, ...]) -> Part | None:
        """Choose the part with which all rows agree."""
        target, source = columns
        measure = view.measure(target)
        if measure is None or not is_computable(view, target) or view.kinds[source] not in PARTS:
            return None
        complete = is_complete(view, target, (source,))
        for part in PARTS[view.kinds[source]]:
            rule = cls(columns, complete, part, measure)
            if holds(rule, view):
                return rule
        return None

    @classmethod
    def count_breaking(cls, view: View, columns: tuple[str, ...]) -> int:
        """Count rows that have another part, whichever is taken."""
        measure = view.measure(columns[0])
        parts = PARTS.get(view.kinds[columns[1]], ())
        rules = [cls(columns, False, part, measure) for part in parts if measure is not None]
        return min((int(rule.broken(view.columns).sum()) for rule in rules), default=0)

    def predict(self, columns: Columns) -> pa.Array:
        """Give the part."""
        return write_numbers(_take_part(self.part, columns[self.columns[1]]), self.measure, "half_even")


def _take_part(part: str, values: pa.Array) -> Numbers:
    """Give a part of moments; NaN for missing."""
    found = {**_DAY_PARTS, **_TIME_PARTS}[part](values)
    number_R: Numbers = pc.cast(found, pa.float64()).fill_null(np.nan).to_numpy()
    return number_R
