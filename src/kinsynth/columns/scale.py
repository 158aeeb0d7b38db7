"""Scales: values on a line of whole numbers (ticks), and back.

A tick is the smallest step a column takes: a cent, a day, a quarter of an hour. All that is learned about
an ordered column is learned on ticks.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import asdict, dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.base import Rows
from kinsynth.columns.storage import as_array
from kinsynth.schema.storage import storage_type

Valid = NDArray[np.bool_]
Rounding = Literal["nearest", "up", "down"]
LARGEST = 2**53
END = 2**62 - 1  # so that the distance of two ticks, and the number of ticks between, fit 64 bits
DAY_US = 86_400_000_000
_FIRST_YEAR = 1970
_ROUNDING = {"nearest": ROUND_HALF_EVEN, "up": ROUND_CEILING, "down": ROUND_FLOOR}


class Scale(Protocol):
    """Turns values into ticks and back."""

    kind: ClassVar[str]

    @property
    def storage(self) -> str:
        """Arrow type of the values."""

    def to_ticks(self, values: pa.Array) -> tuple[Rows, Valid]:
        """Give ticks and which of them are not missing, both of shape (R,)."""

    def to_values(self, tick_R: Rows, valid_R: Valid) -> pa.Array:
        """Give values of ticks."""

    def read(self, text: str, *, rounding: Rounding = "nearest") -> int:
        """Give the tick of a value written in the settings: the nearest, the one above or the one below.

        Raises:
            ValueError: The text is no such value.
        """


@dataclass(frozen=True)
class NumberScale:
    """Numbers in steps of ``10 ** -decimals``, or of ``2 ** -binary`` for measures without decimals.

    Attributes:
        storage: Arrow type of the values.
        decimals: Digits after the decimal mark; may be negative.
        binary: Digits after the binary mark, when there is no decimal lattice.
        decimal_mark: How numbers in the settings are written.
    """

    kind: ClassVar[str] = "number"
    storage: str
    decimals: int = 0
    binary: int | None = None
    decimal_mark: str = "."

    def to_ticks(self, values: pa.Array) -> tuple[Rows, Valid]:
        """Give ticks; what is not finite is missing, what lies outside the line stands at its end."""
        array = as_array(values)
        valid_R = array.is_valid().to_numpy(zero_copy_only=False)
        if pa.types.is_integer(array.type) and self.binary is None and self.decimals == 0:
            if pa.types.is_uint64(array.type):
                array = pc.min_element_wise(array, pa.scalar(END, pa.uint64()), skip_nulls=False)
            return pc.cast(array, pa.int64()).fill_null(0).to_numpy(), valid_R
        if pa.types.is_decimal(array.type) and self.binary is None:
            return np.where(valid_R, _decimal_ticks(array, self.decimals), 0), valid_R
        number_R = pc.cast(array, pa.float64(), safe=False).fill_null(0.0).to_numpy()
        valid_R = valid_R & np.isfinite(number_R)
        scaled_R = np.where(valid_R, np.clip(self._scaled(number_R), -(2.0**62), 2.0**62), 0.0)
        return np.clip(np.rint(scaled_R).astype(np.int64), -END, END), valid_R

    def _scaled(self, number_R: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give numbers in steps; what grows beyond all numbers is infinite: it stands at the line's end."""
        with np.errstate(over="ignore"):
            if self.binary is not None:
                return np.ldexp(number_R, self.binary)
            if self.decimals >= 0:
                return number_R * 10.0**self.decimals
            return number_R / 10.0**-self.decimals

    def to_values(self, tick_R: Rows, valid_R: Valid) -> pa.Array:
        """Give values of the storage type."""
        target = storage_type(self.storage)
        if pa.types.is_integer(target) and self.binary is None and self.decimals == 0:
            return pc.cast(pa.array(tick_R, mask=~valid_R), target)
        if pa.types.is_decimal(target) and self.binary is None:
            return _decimal_values(tick_R, valid_R, target, self.decimals)
        if self.binary is not None:
            number_R = np.ldexp(tick_R.astype(np.float64), -self.binary)
        else:
            factor = 10.0 ** abs(self.decimals)
            number_R = tick_R / factor if self.decimals >= 0 else tick_R * factor
        if pa.types.is_integer(target):
            number_R = _inside(np.rint(number_R), target)
        return pc.cast(pa.array(number_R, mask=~valid_R), target, safe=False)

    @property
    def steps(self) -> float:
        """Ticks of one unit."""
        return 10.0**self.decimals if self.binary is None else 2.0**self.binary

    def read(self, text: str, *, rounding: Rounding = "nearest") -> int:
        """Give the tick at or next to a written number."""
        plain = text.strip().replace(",", ".") if self.decimal_mark == "," else text.strip()
        try:
            number = Decimal(plain)
            power = Decimal(2) ** self.binary if self.binary is not None else Decimal(10) ** self.decimals
            return int((number * power).to_integral_value(_ROUNDING[rounding]))
        except (InvalidOperation, OverflowError) as error:
            raise ValueError("not a number") from error


@dataclass(frozen=True)
class DayScale:
    """Dates in days, months or years since 1970, of dates or of timestamps.

    Attributes:
        storage: Arrow type of the values.
        unit: ``day``, ``month`` or ``year``: months begin on the first, years on 1 January.
        pattern: strftime pattern of dates in the settings; None for ISO.
    """

    kind: ClassVar[str] = "day"
    storage: str
    unit: str = "day"
    pattern: str | None = None

    def to_ticks(self, values: pa.Array) -> tuple[Rows, Valid]:
        """Give ticks."""
        array = as_array(values)
        valid_R = array.is_valid().to_numpy(zero_copy_only=False)
        day_R = pc.cast(pc.cast(array, pa.date32()), pa.int32()).fill_null(0).to_numpy().astype(np.int64)
        return self.from_days(day_R), valid_R

    def from_days(self, day_R: Rows) -> Rows:
        """Give the tick that holds each day since 1970-01-01."""
        if self.unit == "day":
            return day_R
        return day_R.astype("datetime64[D]").astype(f"datetime64[{self.unit[0].upper()}]").astype(np.int64)

    def to_days(self, tick_R: Rows) -> Rows:
        """Give the first day of each tick."""
        if self.unit == "day":
            return tick_R
        return tick_R.astype(f"datetime64[{self.unit[0].upper()}]").astype("datetime64[D]").astype(np.int64)

    def to_values(self, tick_R: Rows, valid_R: Valid) -> pa.Array:
        """Give values of the storage type."""
        days = pa.array(self.to_days(tick_R).astype(np.int32), mask=~valid_R)
        return pc.cast(pc.cast(days, pa.date32()), storage_type(self.storage))

    def read(self, text: str, *, rounding: Rounding = "nearest") -> int:
        """Give the tick at or next to a written date."""
        day = np.array([moment_us(read_moment(text, self.pattern)) // DAY_US])
        tick = self.from_days(day)
        return int(tick[0]) + (rounding == "up" and bool((self.to_days(tick) < day)[0]))


@dataclass(frozen=True)
class TimeScale:
    """Times of day in steps of ``unit_us`` microseconds.

    Attributes:
        storage: Arrow type of the values.
        unit_us: Length of a step, microseconds.
        pattern: strftime pattern of times in the settings; None for ISO.
    """

    kind: ClassVar[str] = "time"
    storage: str
    unit_us: int = 1
    pattern: str | None = None

    def to_ticks(self, values: pa.Array) -> tuple[Rows, Valid]:
        """Give ticks."""
        array = as_array(values)
        valid_R = array.is_valid().to_numpy(zero_copy_only=False)
        micro = pc.cast(pc.cast(array, pa.time64("us"), safe=False), pa.int64())
        return micro.fill_null(0).to_numpy() // self.unit_us, valid_R

    def to_values(self, tick_R: Rows, valid_R: Valid) -> pa.Array:
        """Give values of the storage type."""
        micro = pc.cast(pa.array(tick_R * self.unit_us, mask=~valid_R), pa.time64("us"))
        return pc.cast(micro, storage_type(self.storage), safe=False)

    def read(self, text: str, *, rounding: Rounding = "nearest") -> int:
        """Give the tick at or next to a written time."""
        micros = moment_us(read_moment(text, self.pattern, time_only=True)) % DAY_US
        return _divide(micros, self.unit_us, rounding)


@dataclass(frozen=True)
class MomentScale:
    """Moments in steps of ``unit_us`` microseconds since 1970.

    Attributes:
        storage: Arrow type of the values.
        unit_us: Length of a step, microseconds.
        pattern: strftime pattern of moments in the settings; None for ISO.
    """

    kind: ClassVar[str] = "moment"
    storage: str
    unit_us: int = 1
    pattern: str | None = None

    def to_ticks(self, values: pa.Array) -> tuple[Rows, Valid]:
        """Give ticks."""
        micro_R, valid_R = as_micros(values)
        return micro_R // self.unit_us, valid_R

    def to_values(self, tick_R: Rows, valid_R: Valid) -> pa.Array:
        """Give values of the storage type."""
        target = storage_type(self.storage)
        micros = pa.array(tick_R * self.unit_us, mask=~valid_R)
        return pc.cast(pc.cast(micros, pa.timestamp("us", tz=target.tz)), target, safe=False)

    def read(self, text: str, *, rounding: Rounding = "nearest") -> int:
        """Give the tick at or next to a written moment."""
        return _divide(moment_us(read_moment(text, self.pattern)), self.unit_us, rounding)


def read_moment(text: str, pattern: str | None, *, time_only: bool = False) -> dt.datetime:
    """Read a date, time or both, by a strftime pattern or as ISO 8601.

    Raises:
        ValueError: The text is none.
    """
    if pattern is not None:
        # ISO is understood beside the source's own pattern.
        with suppress(ValueError):
            return dt.datetime.strptime(text.strip(), pattern)
    if time_only:
        return dt.datetime.combine(dt.date(_FIRST_YEAR, 1, 1), dt.time.fromisoformat(text.strip()))
    return dt.datetime.fromisoformat(text.strip())


def as_micros(values: pa.Array) -> tuple[Rows, Valid]:
    """Give timestamps as microseconds since 1970 (UTC where they have a zone), and which are not missing."""
    array = as_array(values)
    valid_R = array.is_valid().to_numpy(zero_copy_only=False)
    fine = pc.cast(array, pa.timestamp("us", tz=getattr(array.type, "tz", None)), safe=False)
    return pc.cast(fine, pa.int64()).fill_null(0).to_numpy(), valid_R


def moment_us(moment: dt.datetime) -> int:
    """Give a moment as microseconds since 1970; without a zone it counts as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return (aware - dt.datetime(_FIRST_YEAR, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


def _inside(number_R: NDArray[np.float64], target: pa.DataType) -> NDArray[np.float64]:
    """Keep whole numbers within what the type holds: the end of 64 bits has no binary number of its own."""
    signed = pa.types.is_signed_integer(target)
    end = 2.0 ** (target.bit_width - signed)
    return np.clip(number_R, -end if signed else 0.0, np.nextafter(end, 0.0))


def _divide(micros: int, unit_us: int, rounding: Rounding) -> int:
    return -(-micros // unit_us) if rounding == "up" else micros // unit_us


def _decimal_ticks(array: pa.Array, decimals: int) -> Rows:
    """Read decimals as whole numbers of ``10 ** -decimals``; beyond 64 bits they stand at the end."""
    rounded = pc.round(array, ndigits=decimals) if decimals < array.type.scale else array
    wide = pc.cast(rounded, pa.decimal256(76, decimals))
    words = np.frombuffer(wide.buffers()[1], dtype="<i8").reshape(-1, 4)[
        wide.offset : wide.offset + len(wide)
    ]
    low, high = words[:, 0], words[:, 1]
    ends = np.where(words[:, 3] < 0, -END, END)
    return np.where(high == low >> 63, np.clip(low, -END, END), ends)


def _decimal_values(tick_R: Rows, valid_R: Valid, target: pa.DataType, decimals: int) -> pa.Array:
    words = np.stack([tick_R, tick_R >> 63], axis=1).astype("<i8")
    mask = pa.array(valid_R).buffers()[1]
    plain = pa.Array.from_buffers(
        pa.decimal128(38, decimals), len(tick_R), [mask, pa.py_buffer(words.tobytes())]
    )
    return pc.cast(plain, target)


_SCALES: dict[str, Any] = {kind.kind: kind for kind in (NumberScale, DayScale, TimeScale, MomentScale)}


def write_scale(scale: Scale) -> dict[str, Any]:
    """Give a scale as JSON."""
    return {"kind": scale.kind, **asdict(scale)}  # type: ignore[call-overload]


def read_scale(document: dict[str, Any]) -> Any:
    """Make a scale of ``write_scale``'s document."""
    fields = {key: value for key, value in document.items() if key != "kind"}
    return _SCALES[document["kind"]](**fields)
