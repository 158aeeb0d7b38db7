"""Measures: the exact whole numbers in which rules compare and compute the values of a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.scale import (
    DayScale,
    MomentScale,
    NumberScale,
    Scale,
    TimeScale,
    read_scale,
    write_scale,
)
from kinsynth.privacy.protection import Numbered, all_units, has_few_roots
from kinsynth.schema.storage import storage_type

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
MOST_DECIMALS = 9
_LARGEST = 2.0**53
_GLANCE = 4_096
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # golden ratio: numbers with any common step fall apart


@dataclass(frozen=True)
class FloatScale:
    """Binary numbers without decimals, by their place among all binary numbers: exact and in their order."""

    kind: ClassVar[str] = "float"
    storage: str = "double"

    def to_ticks(self, values: pa.Array) -> tuple[Rows, Mask]:
        """Give the place of each number, and which are not missing."""
        valid_R = values.is_valid().to_numpy(zero_copy_only=False)
        number_R = pc.cast(values, pa.float64()).fill_null(0.0).to_numpy() + 0.0  # -0.0 is 0.0
        bits_R = number_R.view(np.int64)
        return np.where(bits_R < 0, np.int64(-(2**63)) - bits_R, bits_R), valid_R

    def to_values(self, tick_R: Rows, valid_R: Mask) -> pa.Array:
        """Give the numbers of places."""
        bits_R = np.where(tick_R < 0, np.int64(-(2**63)) - tick_R, tick_R)
        return pc.cast(pa.array(bits_R.view(np.float64), mask=~valid_R), storage_type(self.storage))


Measure = Scale | FloatScale


def write_measure(measure: Measure) -> dict[str, Any]:
    """Give a measure as JSON."""
    if isinstance(measure, FloatScale):
        return {"kind": measure.kind, "storage": measure.storage}
    return write_scale(measure)


def read_measure(document: dict[str, Any]) -> Any:
    """Make a measure of ``write_measure``'s document."""
    return FloatScale(document["storage"]) if document["kind"] == "float" else read_scale(document)


def choose_measure(values: pa.Array) -> Measure | None:
    """Choose the whole numbers that say the values of a column exactly; None where there are none.

    >>> choose_measure(pa.array([1.25, 3.5])).decimals
    2
    """
    spelling, kind = str(values.type), values.type
    if pa.types.is_floating(kind):
        return _decimal_measure(values) or FloatScale(spelling)
    if pa.types.is_decimal(kind):
        return _exact(NumberScale(spelling, kind.scale), values) if 0 <= kind.scale <= 15 else None
    if pa.types.is_integer(kind):
        return _exact(NumberScale(spelling, 0), values)
    if pa.types.is_date32(kind):
        return DayScale(spelling)
    if pa.types.is_timestamp(kind):
        return _exact(MomentScale(spelling), values)
    return _exact(TimeScale(spelling), values) if pa.types.is_time(kind) else None


def _exact(scale: Scale, values: pa.Array) -> Scale | None:
    """Give the scale when it loses nothing."""
    return scale if scale.to_values(*scale.to_ticks(values)).equals(values) else None


def _decimal_measure(values: pa.Array) -> Scale | None:
    number_P = pc.cast(values.drop_null(), pa.float64()).to_numpy()
    for decimals in range(MOST_DECIMALS + 1):
        scaled_P = number_P * 10.0**decimals
        if not np.isfinite(scaled_P).all() or np.abs(scaled_P).max(initial=0) >= _LARGEST:
            return None
        if (np.rint(scaled_P) / 10.0**decimals == number_P).all():
            return _exact(NumberScale(str(values.type), decimals), values)
    return None


def find_lattice(tick_P: Rows, root_P: Numbered, *, minimum: int) -> tuple[int, int]:
    """Give the widest step, with its remainder, that all values but those of few roots lie on; else (1, 0).

    A step that only few roots keep is theirs, and is not given. Roots are dealt to ``minimum`` heaps. Where
    fewer than ``minimum`` roots stand apart, one heap is free of them: the step of its values, or of all but
    one heap's, is the one that is looked for.

    Args:
        tick_P: Ticks.
        root_P: Number of the root of each.
        minimum: Roots that make a finer step; fewer do not count.

    >>> find_lattice(np.append(np.arange(10, 1000, 15), 13), np.arange(67), minimum=2)
    (15, 10)
    """
    if minimum > 1:
        heaps = [
            (unit_P.astype(np.uint64) * _SPREAD >> np.uint64(40)) % np.uint64(minimum)
            for unit_P in all_units(root_P)
        ]
        tried = [
            part
            for heap_P in heaps
            for heap in range(minimum)
            for part in (tick_P[heap_P == heap], tick_P[heap_P != heap])
        ]
    else:
        tried = [tick_P]
    found = {(step, int(part[0]) % step) for part in tried if len(part) and (step := _find_step(part)) > 1}
    for step, remainder in sorted(found, reverse=True):
        off_P = tick_P % step != remainder
        few_off, few_on = (has_few_roots(part_P, root_P, minimum=minimum) for part_P in (off_P, ~off_P))
        if few_off and not few_on:
            return step, remainder
    return 1, 0


def _find_step(tick_P: Rows) -> int:
    """Give the step that all differences are multiples of; 0 where there are none."""
    some = int(np.gcd.reduce(tick_P[:_GLANCE] - tick_P[0]))  # mostly tells already that there is none
    return some if some == 1 else int(np.gcd.reduce(tick_P - tick_P[0]))


def as_numbers(values: pa.Array) -> NDArray[np.float64]:
    """Give numbers as they are, dates as days and moments as microseconds since 1970; NaN for missing."""
    kind = values.type
    if pa.types.is_date32(kind):
        values = pc.cast(values, pa.int32())
    elif pa.types.is_timestamp(kind):
        fine = pc.cast(values, pa.timestamp("us", tz=kind.tz), safe=False)
        values = pc.cast(fine, pa.int64())
    number_R: NDArray[np.float64] = pc.cast(values, pa.float64(), safe=False).fill_null(np.nan).to_numpy()
    return number_R
