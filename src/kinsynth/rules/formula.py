"""Formulas: a column that is computed from others wherever none of them is missing."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.measure import FloatScale, Mask, Measure, as_numbers, read_measure, write_measure
from kinsynth.rules.base import Columns
from kinsynth.rules.evidence import count_present_roots, log_all_equal
from kinsynth.rules.view import View
from kinsynth.schema.storage import storage_type

Numbers = NDArray[np.float64]
ROUNDINGS = ("half_up", "half_even", "down", "up")
NUMBERS = ("integer", "numeric")
FEWEST_VALUES = 4
FEWEST_TRIALS = 8
# Rows that a formula is tried on, some at a time: one rules out most groups of many columns, and a few more
# nearly all others.
TRIAL_STAGES = (slice(0, 1), slice(1, 3), slice(3, FEWEST_TRIALS), slice(FEWEST_TRIALS, None))
_NOISE_DIGITS = 6
_ROOM = 20
_LARGEST = 2.0**53


class Formula:
    """What copies, lines, sums, products and parts of dates share.

    A subclass is a frozen dataclass with ``columns`` (the target first), ``complete`` (whether the target is
    missing exactly where a source is) and ``predict``.
    """

    kind: ClassVar[str]
    columns: tuple[str, ...]
    complete: bool
    draws: ClassVar[int] = 0

    def predict(self, columns: Columns) -> pa.Array:
        """Compute the target; missing where a source is."""
        raise NotImplementedError

    @property
    def writes(self) -> tuple[str, ...]:
        """The target."""
        return self.columns[:1]

    @property
    def derives(self) -> str | None:
        """The target, where its missing values follow as well."""
        return self.columns[0] if self.complete else None

    @property
    def weaker(self) -> Any:
        """The same formula, missing values aside."""
        return replace(self, complete=False) if self.complete else None  # type: ignore[type-var]

    def broken(self, columns: Columns) -> Mask:
        """Mark rows whose target is another value, or is missing where it should not be."""
        predicted, target = self.predict(columns), columns[self.columns[0]]
        both_R = _valid(predicted) & _valid(target)
        same_R = pc.equal(predicted, target).fill_null(True).to_numpy(zero_copy_only=False)
        broken_R: Mask = both_R & ~same_R
        return broken_R | (_valid(predicted) != _valid(target)) if self.complete else broken_R

    def apply(
        self,
        columns: Columns,
        uniform_RD: NDArray[Any],  # noqa: ARG002
        spare: Columns,  # noqa: ARG002
    ) -> dict[str, pa.Array]:
        """Compute the target; where it is incomplete, only over values that are there."""
        predicted, name = self.predict(columns), self.columns[0]
        if self.complete:
            return {name: predicted}
        both_R = _valid(predicted) & _valid(columns[name])
        return {name: pc.if_else(pa.array(both_R), predicted, columns[name])}

    def chance(self, view: View) -> float:
        """Bound the chance that an independent target agrees everywhere."""
        target = view.columns[self.columns[0]]
        predicted = pc.cast(self.predict(view.columns), target.type)
        codes = pa.chunked_array([target, predicted]).dictionary_encode().combine_chunks()
        number_R = pc.cast(codes.indices, pa.float64()).fill_null(np.nan).to_numpy()
        left_R, right_R = number_R[: len(target)], number_R[len(target) :]
        roots = count_present_roots(view, *self.columns)
        return log_all_equal(left_R[np.isfinite(left_R)], right_R[np.isfinite(right_R)], roots)

    def to_json(self) -> dict[str, Any]:
        """Give names and what the formula is made of."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        written = {name: write_measure(value) if name == "measure" else value for name, value in own.items()}
        return {"kind": self.kind, **written, "columns": list(self.columns)}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Read what ``to_json`` gave."""
        own = {field.name: document[field.name] for field in fields(cls)}  # type: ignore[arg-type]
        if "measure" in own:
            own["measure"] = read_measure(own["measure"])
        return cls(**{**own, "columns": tuple(own["columns"])})


def _valid(values: pa.Array) -> Mask:
    valid_R: Mask = values.is_valid().to_numpy(zero_copy_only=False)
    return valid_R


def is_complete(view: View, target: str, sources: tuple[str, ...]) -> bool:
    """Tell whether the target is missing exactly where a source is."""
    missing_R = np.zeros(view.rows, dtype=bool)
    for name in sources:
        missing_R |= view.missing(name)
    return bool((missing_R == view.missing(target)).all())


def measured(view: View, *kinds: str) -> list[str]:
    """Name the columns of some types that have exact numbers and more than a few distinct ones."""
    names = [name for name in view.of_kinds(*kinds) if is_computable(view, name)]
    return [name for name in names if len(view.code(name)[1]) >= FEWEST_VALUES]


def is_computable(view: View, name: str) -> bool:
    """Tell whether a column has a measure, and no number that is too large for exact arithmetic."""
    largest = float(np.nanmax(np.abs(view.number(name)), initial=0.0)) if view.measure(name) else np.inf
    return largest < _LARGEST


def holds(rule: Formula, view: View) -> bool:
    """Tell whether no row breaks a rule, and computed values can grow without leaving the column's type."""
    return not rule.broken(view.columns).any() and _has_room(view.columns[rule.columns[0]])


def _has_room(values: pa.Array) -> bool:
    kind = values.type
    if pa.types.is_integer(kind):
        top = float(np.iinfo(kind.to_pandas_dtype()).max)
    elif pa.types.is_decimal(kind):
        top = 10.0 ** (min(kind.precision, 18) - kind.scale)
    else:
        return True
    return _ROOM * float(np.nanmax(np.abs(as_numbers(values)), initial=0.0)) < top


def round_ticks(number_R: Numbers, rounding: str) -> Numbers:
    """Round numbers of ticks, blind to the noise of binary arithmetic.

    >>> round_ticks(np.array([2.5, 3.4999999999, 0.29]), "half_up").tolist()
    [3.0, 4.0, 0.0]
    """
    snapped_R = np.round(number_R, _NOISE_DIGITS)
    match rounding:
        case "half_up":
            return np.asarray(np.floor(np.abs(snapped_R) + 0.5) * np.sign(snapped_R))
        case "down":
            return np.asarray(np.trunc(snapped_R))
        case "up":
            return np.asarray(np.ceil(np.abs(snapped_R)) * np.sign(snapped_R))
        case _:
            return np.rint(snapped_R)


def write_numbers(number_R: Numbers, measure: Measure, rounding: str) -> pa.Array:
    """Give values of a column's type for numbers as ``as_numbers`` gives them; missing for NaN."""
    valid_R = np.isfinite(number_R)
    if isinstance(measure, FloatScale):
        kind = storage_type(measure.storage)
        return pc.cast(pa.array(np.where(valid_R, number_R, 0.0), mask=~valid_R), kind, safe=False)
    scaled_R = np.where(valid_R, number_R, 0.0) * steps_of(measure)
    valid_R &= np.abs(scaled_R) < 2.0**62
    tick_R = round_ticks(np.where(valid_R, scaled_R, 0.0), rounding).astype(np.int64)
    return measure.to_values(tick_R, valid_R)


def steps_of(measure: Measure | None) -> float:
    """Give the ticks of one unit of ``as_numbers``."""
    return float(getattr(measure, "steps", 1.0))


def spread(view: View, names: list[str], rows: int) -> dict[str, Numbers]:
    """Give the numbers of some rows, evenly spread, for quick trials."""
    place_R = np.linspace(0, view.rows - 1, min(rows, view.rows)).astype(np.int64)
    return {name: view.number(name)[place_R] for name in names}


def telling_rows(view: View, target: str, rows: int) -> NDArray[np.int64]:
    """Give some rows, evenly spread, in which the target is there and has not its most frequent value."""
    code_R, _ = view.code(target)
    telling_R = np.flatnonzero((code_R != np.bincount(code_R).argmax()) & ~view.missing(target))
    return telling_R[np.linspace(0, len(telling_R) - 1, min(rows, len(telling_R))).astype(np.int64)]
