"""Numbers, whole or with decimals: a ``Line`` of ticks on a decimal lattice."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.base import Part, Values
from kinsynth.columns.line import Line
from kinsynth.columns.partition import Counts, Wishes, build_line
from kinsynth.columns.scale import END, LARGEST, NumberScale, Rounding, Scale, read_scale, write_scale
from kinsynth.encoded import IntArray, SubColumn
from kinsynth.errors import SettingsError
from kinsynth.privacy.protection import Roots, extremes, has_few_roots, number_of_roots
from kinsynth.schema.table import TextFormat
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

MOST_DECIMALS = 15
_GLANCE = 4_096


@dataclass(frozen=True, eq=False)
class OrderedCodec:
    """Codes of a column on a line: numbers, dates or times.

    Guarantees:
        A decoded value lies within the bin of the encoded one; values that enough roots hold come back
        exactly where they have a state of their own.
    """

    kind: ClassVar[str] = "ordered"
    scale: Scale
    line: Line

    @property
    def sub_columns(self) -> tuple[SubColumn, ...]:
        """State, then class and place where needed."""
        return self.line.sub_columns

    @property
    def draws(self) -> int:
        """One: the place among the leaves."""
        return 1

    def encode(self, values: Values) -> IntArray:
        """Turn values into codes."""
        return self.line.encode(*self.scale.to_ticks(values[0]))

    def decode(self, codes_RC: IntArray, uniform_RD: NDArray[Any]) -> Values:
        """Turn codes into values."""
        return (self.scale.to_values(*self.line.decode(codes_RC, uniform_RD[:, 0])),)

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        return {"kind": self.kind, "scale": write_scale(self.scale), "line": self.line.to_json()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> OrderedCodec:
        """Make a codec of ``to_json``'s document."""
        return cls(read_scale(document["scale"]), Line.from_json(document["line"]))


def build_number(
    part: Part, settings: Column, protection: Protection, text: TextFormat | None = None
) -> OrderedCodec:
    """Choose the lattice, then states and bins."""
    scale = choose_scale(part, settings, protection.rare_minimum, text)
    wishes = ordered_wishes(settings, scale, endings=scale.binary is None)
    return OrderedCodec(scale, build_line(count_ticks(part, scale), wishes, protection))


def count_ticks(part: Part, scale: Scale) -> Counts:
    """Count ticks instead of values."""
    tick_P, valid_P = scale.to_ticks(part.values[0])
    return Counts(tick_P[valid_P], part.roots[valid_P], part.rows[valid_P], bool((~valid_P).any()))


def ordered_wishes(settings: Column, scale: Scale, **lattice: Any) -> Wishes:
    """Read the settings of an ordered column.

    Raises:
        SettingsError: A value cannot be read.
    """
    low = None if settings.minimum is None else read_setting(settings.minimum, "minimum", scale, "up")
    high = None if settings.maximum is None else read_setting(settings.maximum, "maximum", scale, "down")
    if settings.non_negative:
        low = max(low or 0, 0)
    if low is not None and high is not None and low > high:
        raise SettingsError(
            "treatment.bounds",
            f"minimum={settings.minimum} lies above maximum={settings.maximum}.",
            where="minimum",
            remedy="Exchange the bounds or remove one.",
        )
    return Wishes(
        special=tuple(read_setting(value, "special_values", scale) for value in settings.special_values),
        never=tuple(sorted({read_setting(value, "never", scale) for value in settings.never})),
        low=low,
        high=high,
        quantile=settings.outlier_quantile,
        clip=settings.outliers == "clip",
        impute=settings.missing == "impute",
        **lattice,
    )


def read_setting(value: str, name: str, scale: Scale, rounding: Rounding = "nearest") -> int:
    """Read a value of the settings in ticks.

    Raises:
        SettingsError: It cannot be read.
    """
    try:
        return scale.read(value, rounding=rounding)
    except ValueError as error:
        raise SettingsError(
            "treatment.value",
            f"{name}={value} cannot be read; expected a value as the source writes it.",
            where=name,
            remedy="Write the value as in the source.",
        ) from error


def choose_scale(part: Part, settings: Column, minimum: int, text: TextFormat | None) -> NumberScale:
    """Choose decimals: declared, those of the storage, or those that the values show.

    The decimals of fewer than ``minimum`` roots do not count, nor their largest values: precision is
    protected like values. Whole numbers and decimals too long for the line keep their 16 leading digits.
    """
    values = part.values[0]
    mark = "," if settings.decimal_mark == "comma" or (text and text.decimal_mark == ",") else "."
    spelling = str(values.type)
    if settings.decimals is not None and settings.type != "integer":
        return NumberScale(spelling, settings.decimals, None, mark)
    number_P = pc.cast(values, pa.float64(), safe=False).fill_null(math.nan).to_numpy()
    if pa.types.is_integer(values.type) or pa.types.is_decimal(values.type) or settings.type == "integer":
        is_decimal = pa.types.is_decimal(values.type) and settings.type != "integer"
        decimals = min(values.type.scale, MOST_DECIMALS) if is_decimal else 0
        end, largest = END / 10.0**decimals, float(np.nanmax(np.abs(number_P), initial=0.0))
        if largest >= end:  # only then are the roots that reach so far looked for
            largest = _largest(number_P, part.roots, minimum)
        if largest < end:
            return NumberScale(spelling, decimals, None, mark)
        return _leading_digits(spelling, largest, mark)
    largest = _largest(number_P, part.roots, minimum)
    counted_P = np.abs(number_P) <= largest
    single = pa.types.is_float32(values.type) or pa.types.is_float16(values.type)
    decimals = _decimals(number_P[counted_P], part.roots[counted_P], minimum, single=single)
    if decimals is not None:
        return NumberScale(spelling, decimals, None, mark)
    return _leading_digits(spelling, largest, mark)


def _leading_digits(spelling: str, largest: float, mark: str) -> NumberScale:
    return NumberScale(spelling, 0, 52 - math.ceil(math.log2(largest)), mark)


def _largest(number_P: NDArray[np.float64], root_P: Roots, minimum: int) -> float:
    """Give the largest magnitude that ``minimum`` roots reach; 0 with fewer roots."""
    finite_P = np.isfinite(number_P)
    if number_of_roots(root_P[finite_P]) < minimum:
        return 0.0
    return float(extremes(np.abs(number_P[finite_P]), root_P[finite_P], minimum=minimum)[1])


def _decimals(number_P: NDArray[np.float64], root_P: Roots, minimum: int, *, single: bool) -> int | None:
    """Give the fewest decimals that all but fewer than ``minimum`` roots need; None for no lattice."""
    largest = float(np.abs(number_P).max(initial=0.0))
    some = slice(None, None, max(1, len(number_P) // _GLANCE))
    for decimals in range(MOST_DECIMALS + 1):
        if largest * 10.0**decimals >= LARGEST:
            return None
        for part in (some, slice(None)):  # some values mostly tell already that there must be more decimals
            finer_P = _is_finer(number_P[part], decimals, single=single)
            if not has_few_roots(finer_P, root_P[part], minimum=minimum):
                break
        else:
            return decimals
    return None


def _is_finer(number_P: NDArray[np.float64], decimals: int, *, single: bool) -> NDArray[np.bool_]:
    """Mark numbers that need more decimals."""
    rounded_P = np.rint(number_P * 10.0**decimals) / 10.0**decimals
    kind = np.float32 if single else np.float64
    finer_P: NDArray[np.bool_] = rounded_P.astype(kind) != number_P.astype(kind)
    return finer_P
