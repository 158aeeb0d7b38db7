"""Domains: what a column may hold in a result: a range of numbers with their steps, or a list of categories.

A codec states its domain; whether values keep to it is seen on plain Arrow values, by arithmetic of its own:
nothing of the way from codes to values takes part.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.categorical import CategoricalCodec
from kinsynth.columns.coordinate import CoordinateCodec
from kinsynth.columns.datetime import DatetimeCodec
from kinsynth.columns.lattice import first_member
from kinsynth.columns.line import Line
from kinsynth.columns.measure import FloatScale, Measure
from kinsynth.columns.numeric import OrderedCodec
from kinsynth.columns.scale import DAY_US, DayScale, MomentScale, NumberScale, Scale, TimeScale
from kinsynth.columns.sequence import SequenceCodec
from kinsynth.columns.storage import read_values

Mask = NDArray[np.bool_]
Unit = Literal["decimal", "binary", "day", "month", "year", "time", "moment"]


@dataclass(frozen=True)
class Range:
    """Numbers, dates or times from ``low`` to ``high`` that lie on ``first`` plus whole steps.

    Attributes:
        unit: What is counted: decimal or binary digits, days, months or years since 1970, microseconds of
            the day (``time``) or since 1970 (``moment``).
        low, high: Smallest and largest count; a range whose high is below its low holds nothing.
        step: Distance of neighbours.
        first: A count that the steps meet.
        digits: Decimal or binary digits after the mark.
    """

    unit: Unit
    low: int
    high: int
    step: int = 1
    first: int = 0
    digits: int = 0

    @property
    def has_steps(self) -> bool:
        """Whether there is anything between the steps: not for binary measures."""
        return self.unit != "binary"

    def outside(self, values: pa.Array) -> Mask:
        """Mark values beyond the bounds, shape (R,); a missing value is none."""
        count_R, _ = self._count(values)
        beyond_R: Mask = (count_R < self.low) | (count_R > self.high)
        return beyond_R & _present(values)

    def off_step(self, values: pa.Array) -> Mask:
        """Mark values between the steps, shape (R,)."""
        count_R, exact_R = self._count(values)
        off_R: Mask = ~exact_R
        if self.has_steps:
            off_R = off_R | ((count_R - self.first % self.step) % self.step != 0)
        return off_R & _present(values)

    def _count(self, values: pa.Array) -> tuple[NDArray[Any], Mask]:
        """Count units, and tell which values are whole numbers of them."""
        if self.unit == "decimal":
            return _count_decimals(values, self.digits)
        if self.unit == "binary":
            number_R = _floats(values) * 2.0**self.digits
            return number_R, np.ones(len(number_R), dtype=np.bool_)
        micro_R = _micros(values)
        if self.unit in ("time", "moment"):
            return micro_R % DAY_US if self.unit == "time" else micro_R, np.ones(len(micro_R), dtype=np.bool_)
        day_R = (micro_R // DAY_US).astype("datetime64[D]")
        unit_R = day_R.astype(f"datetime64[{self.unit[0].upper()}]")
        exact_R: Mask = (unit_R.astype("datetime64[D]") == day_R) & (micro_R % DAY_US == 0)
        return unit_R.astype(np.int64), exact_R

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        return asdict(self)

    def within(self, measure: Measure) -> Range | None:
        """Give the same range in the ticks of a measure; None where they do not say it."""
        if isinstance(measure, NumberScale) and measure.binary is None and self.unit == "decimal":
            power = measure.decimals - self.digits
            return None if power < 0 else self.times(10**power, digits=measure.decimals)
        if isinstance(measure, MomentScale) and measure.unit_us == 1 and self.unit in ("moment", *_CALENDAR):
            return self if self.unit == "moment" else self.in_days().whole_days()
        if isinstance(measure, DayScale) and measure.unit == "day" and self.unit in _CALENDAR:
            return self.in_days()
        return self if isinstance(measure, TimeScale) and self.unit == "time" else None

    def times(self, factor: int, **changes: Any) -> Range:
        """Give the range counted in a unit that is ``factor`` times finer."""
        scaled = {name: getattr(self, name) * factor for name in ("low", "high", "step", "first")}
        return replace(self, **scaled, **changes)

    def in_days(self) -> Range:
        """Give the range of first days of months or years as a range of days."""
        if self.unit == "day":
            return self
        ends = np.array([self.low, self.high]).astype(f"datetime64[{self.unit[0].upper()}]")
        low, high = ends.astype("datetime64[D]").astype(np.int64).tolist()
        return Range("day", low, high)

    def whole_days(self) -> Range:
        """Give the range of all moments of a range of days."""
        moments = self.times(DAY_US, unit="moment")
        return replace(moments, high=moments.high + DAY_US - 1)


@dataclass(frozen=True)
class Categories:
    """Values of a list.

    Attributes:
        storage: Arrow type of the values.
        texts: The values as texts.
    """

    storage: str
    texts: tuple[str, ...]

    def outside(self, values: pa.Array) -> Mask:
        """Mark values that are not in the list, shape (R,); a missing value is none."""
        known = pc.is_in(values, value_set=read_values(list(self.texts), self.storage))
        unknown_R: Mask = ~known.to_numpy(zero_copy_only=False)
        return unknown_R & _present(values)

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        return asdict(self)


Domain = Range | Categories
_BINARY_DIGITS = {"double": 53, "float": 24, "halffloat": 11}
_CALENDAR = ("day", "month", "year")


def domain_from_json(document: dict[str, Any]) -> Domain:
    """Make a domain of its ``to_json``."""
    if "unit" in document:
        return Range(**document)
    return Categories(document["storage"], tuple(document["texts"]))


def state_domains(codec: Any) -> tuple[tuple[Domain, ...], ...]:
    """State what a codec may give: for each of its columns all that holds of it; nothing for keys and links.

    Of a column with made-up texts nothing is stated: they are in no list.

    Not for relative columns: what they may hold depends on another column.
    """
    match codec:
        case CategoricalCodec():
            label = (codec.label,) if codec.other == "label" else ()
            listed = Categories(codec.storage, (*codec.texts, *label))
            return ((listed,) if codec.invention is None else (),)
        case OrderedCodec():
            return ((_line_range(codec.line, codec.scale),),)
        case DatetimeCodec():
            return (_moment_ranges(codec),)
        case CoordinateCodec():
            return tuple((_axis_range(codec, axis),) for axis in (0, 1))
        case SequenceCodec():
            low, high = (0, -1) if codec.empty else (codec.low, codec.high)
            return ((range_of_ticks(codec.scale, low, high),),)
    return ()


def range_of_ticks(measure: Measure, low: int, high: int, step: int = 1, first: int = 0) -> Range:
    """Give the range from one tick of a measure to another.

    Raises:
        ValueError: Places among binary numbers are no range of numbers.
    """
    match measure:
        case NumberScale() if measure.binary is not None:
            # The end of 64 bits is no binary number: what lies there is written as the one below.
            return Range("binary", low - ("int" in measure.storage), high, digits=measure.binary)
        case NumberScale() if "int" in measure.storage and measure.decimals > 0:
            unit = 10**measure.decimals
            return Range("decimal", round(low / unit), round(high / unit))
        case NumberScale():
            plain = Range("decimal", low, high, step, first, max(measure.decimals, 0))
            return _as_exact(plain, measure.storage).times(10 ** max(-measure.decimals, 0))
        case DayScale():
            units: dict[str, Unit] = {"day": "day", "month": "month", "year": "year"}
            return Range(units[measure.unit], low, high, step, first)
        case TimeScale():
            return Range("time", low, high, step, first).times(measure.unit_us)
        case MomentScale():
            return Range("moment", low, high, step, first).times(measure.unit_us)
    raise ValueError(f"{measure.kind}: no range of numbers")


def _as_exact(counts: Range, storage: str) -> Range:
    """Widen bounds, and drop steps, that binary numbers of a type are too coarse to say."""
    slack = max(abs(counts.low), abs(counts.high)) >> _BINARY_DIGITS.get(storage, 64) - 2
    return replace(counts, low=counts.low - slack, high=counts.high + slack, step=1) if slack else counts


def _line_range(line: Line, scale: Scale) -> Range:
    if line.empty:
        return range_of_ticks(scale, 0, -1)
    moduli, remainders = np.array(line.classes, dtype=np.int64).T
    modulus_L, remainder_L = moduli[line.class_L], remainders[line.class_L]
    step_L = np.maximum(modulus_L, 1)  # months have days of no number in common
    single_L = line.low_L == line.high_L
    first_L = np.where(single_L, line.low_L, first_member(line.low_L, modulus_L, remainder_L))
    start = int(first_L[0])
    step = math.gcd(*np.where(single_L, 0, step_L).tolist(), *(one - start for one in first_L.tolist()))
    return range_of_ticks(scale, int(line.low_L.min()), int(line.high_L.max()), step or 1, start)


def _moment_ranges(codec: DatetimeCodec) -> tuple[Range, ...]:
    day, time = _line_range(codec.day.line, codec.day.scale), _line_range(codec.time.line, codec.time.scale)
    step = math.gcd(codec.unit_us, time.step, time.first) if time.low <= time.high else DAY_US
    whole = replace(day.in_days().whole_days(), step=step, first=0)
    if not (codec.bounded or codec.special_us or codec.never_us):
        if day.unit != "day":
            return (day,)
        return (whole, time) if time.low <= time.high else (whole,)
    exact = [*codec.special_us, *(one for one in (codec.low_us, codec.high_us) if one is not None)]
    aside = codec.unit_us * len(codec.never_us)
    low, high = min([whole.low, *exact]) - aside, max([whole.high, *exact]) + aside
    if codec.bounded and day.low <= day.high:
        low, high = np.clip([low, high], codec.low_us, codec.high_us).tolist()
    return (Range("moment", low, high, math.gcd(step, codec.unit_us, *exact)),)


def _axis_range(codec: CoordinateCodec, axis: int) -> Range:
    if codec.empty:
        return range_of_ticks(codec.scales[axis], 0, -1)
    low, high = codec.box_A[:, axis].min(), codec.box_A[:, axis + 2].max()
    return range_of_ticks(codec.scales[axis], int(low), int(high))


def is_measured(measure: Measure) -> bool:
    """Tell whether the ticks of a measure are counts of units."""
    return not isinstance(measure, FloatScale)


def _present(values: pa.Array) -> Mask:
    present_R: Mask = values.is_valid().to_numpy(zero_copy_only=False)
    return present_R


def _floats(values: pa.Array) -> NDArray[np.float64]:
    number_R: NDArray[np.float64] = (
        pc.cast(values, pa.float64(), safe=False).fill_null(0.0).to_numpy(zero_copy_only=False)
    )
    return number_R


def _count_decimals(values: pa.Array, digits: int) -> tuple[NDArray[Any], Mask]:
    kind = values.type
    if pa.types.is_integer(kind):
        count_R = values.fill_null(0).to_numpy()
        if digits == 0:
            return _signed(count_R), np.ones(len(count_R), dtype=np.bool_)
    if pa.types.is_decimal(kind):
        return _count_exactly(values, digits)
    number_R = _floats(values)
    with np.errstate(over="ignore", invalid="ignore"):
        whole_R = np.rint(number_R * 10.0**digits)
        back_R = whole_R / 10.0**digits
    single = pa.types.is_float32(kind) or pa.types.is_float16(kind)
    exact_R: Mask = back_R == number_R
    if single:
        exact_R = back_R.astype(np.float32) == number_R.astype(np.float32)
    # Beyond, binary numbers lie further apart than the digits: each is one.
    exact_R |= (np.abs(whole_R) >= 2.0**51) & (np.abs(back_R - number_R) <= np.spacing(np.abs(number_R)))
    return np.clip(np.nan_to_num(whole_R), -(2.0**62), 2.0**62).astype(np.int64), exact_R


def _signed(count_R: NDArray[Any]) -> NDArray[Any]:
    if count_R.dtype == np.uint64:
        count_R = np.minimum(count_R, np.uint64(2**63 - 1))
    return count_R.astype(np.int64)


def _count_exactly(values: pa.Array, digits: int) -> tuple[NDArray[Any], Mask]:
    """Count units of exact decimals; beyond 64 bits they stand at the end."""
    rounded = pc.round(values, ndigits=digits)
    wide = pc.cast(rounded.fill_null(0), pa.decimal256(76, digits))
    word_RW = np.frombuffer(wide.buffers()[1], dtype="<i8").reshape(-1, 4)[wide.offset :][: len(wide)]
    fits_R = (word_RW[:, 1:] == (word_RW[:, :1] >> 63)).all(axis=1)
    ends_R = np.where(word_RW[:, 3] < 0, -(2**63), 2**63 - 1)
    exact_R: Mask = pc.equal(rounded, values).fill_null(True).to_numpy(zero_copy_only=False)
    return np.where(fits_R, word_RW[:, 0], ends_R), exact_R


def _micros(values: pa.Array) -> NDArray[np.int64]:
    """Give dates and moments as microseconds since 1970, times as those of the day."""
    kind = values.type
    if pa.types.is_date(kind):
        days: NDArray[Any] = pc.cast(pc.cast(values, pa.date32()), pa.int32()).fill_null(0).to_numpy()
        return days.astype(np.int64) * DAY_US
    fine = pa.time64("us") if pa.types.is_time(kind) else pa.timestamp("us", tz=kind.tz)
    micro_R: NDArray[np.int64] = (
        pc.cast(pc.cast(values, fine, safe=False), pa.int64()).fill_null(0).to_numpy()
    )
    return micro_R
