"""Dates, times and both: a chain for the day and a chain for the time of day."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.base import Part, Rows, Values
from kinsynth.columns.numeric import OrderedCodec, count_ticks, ordered_wishes
from kinsynth.columns.partition import Counts, Wishes, build_line
from kinsynth.columns.scale import DAY_US, DayScale, MomentScale, TimeScale, as_micros
from kinsynth.encoded import IntArray, SubColumn
from kinsynth.privacy.protection import Roots, has_few_roots
from kinsynth.schema.storage import storage_type
from kinsynth.schema.table import TextFormat
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

UNITS_US = {
    "day": DAY_US,
    "hour": 3_600_000_000,
    "minute": 60_000_000,
    "second": 1_000_000,
    "millisecond": 1_000,
    "microsecond": 1,
}
DAY_CHAIN = (1,)


@dataclass(frozen=True, eq=False)
class DatetimeCodec:
    """Codes of moments: the chain of the day, then the chain of the time of day.

    Attributes:
        day: Scale and line of the day; a missing value is missing here.
        time: Scale and line of the time of day; its code of missing values means "no day".
        low_us, high_us: Declared bounds, microseconds since 1970.
        special_us: Declared special moments: other moments of their days become them.
        never_us: Moments that are never generated.
    """

    kind: ClassVar[str] = "datetime"
    storage: str
    day: OrderedCodec
    time: OrderedCodec
    low_us: int | None = None
    high_us: int | None = None
    special_us: tuple[int, ...] = ()
    never_us: tuple[int, ...] = ()

    @property
    def sub_columns(self) -> tuple[SubColumn, ...]:
        """The day's, then the time's."""
        return (*self.day.sub_columns, *self.time.sub_columns)

    @property
    def draws(self) -> int:
        """Two: within the day's bin and within the time's."""
        return 2

    def encode(self, values: Values) -> IntArray:
        """Turn values into codes."""
        micro_R, valid_R = as_micros(values[0])
        never_R = np.isin(micro_R, self.never_us)
        micro_R = np.clip(micro_R, self.low_us, self.high_us) if self.bounded else micro_R
        day_RC = self.day.line.encode(self.day_scale.from_days(micro_R // DAY_US), valid_R)
        day_RC[never_R & valid_R, 0] = 1
        return np.concatenate([day_RC, self.time.line.encode(self._time_ticks(micro_R), valid_R)], axis=1)

    def decode(self, codes_RC: IntArray, uniform_RD: NDArray[Any]) -> Values:
        """Turn codes into values."""
        width = len(self.day.sub_columns)
        time_RC = codes_RC[:, width:].copy()
        time_RC[:, 0] = np.maximum(time_RC[:, 0], 1)
        day_R, valid_R = self.day.line.decode(codes_RC[:, :width], uniform_RD[:, 0])
        tick_R, _ = self.time.line.decode(time_RC, uniform_RD[:, 1])
        micro_R = self.day_scale.to_days(day_R) * DAY_US + tick_R * self.unit_us
        for special in self.special_us:
            micro_R = np.where(micro_R // DAY_US == special // DAY_US, special, micro_R)
        micro_R = np.clip(micro_R, self.low_us, self.high_us) if self.bounded else micro_R
        micros = pc.cast(pa.array(self._avoided(micro_R), mask=~valid_R), pa.timestamp("us"))
        target = storage_type(self.storage)
        return (
            pc.cast(pc.cast(micros, pa.int64()), pa.timestamp("us", tz=target.tz)).cast(target, safe=False),
        )

    @property
    def bounded(self) -> bool:
        """Whether the settings declare a bound."""
        return self.low_us is not None or self.high_us is not None

    @property
    def day_scale(self) -> DayScale:
        """Scale of the day."""
        assert isinstance(self.day.scale, DayScale)
        return self.day.scale

    @property
    def unit_us(self) -> int:
        """Smallest step, microseconds."""
        assert isinstance(self.time.scale, TimeScale)
        return self.time.scale.unit_us

    def _time_ticks(self, micro_R: Rows) -> Rows:
        return (micro_R % DAY_US) // self.unit_us

    def _avoided(self, micro_R: Rows) -> Rows:
        """Move moments that must not be generated to the nearest one that may be, within the bounds."""
        refused_R = np.isin(micro_R, self.never_us)
        for distance in range(1, len(self.never_us) + 1):
            for step in (distance * self.unit_us, -distance * self.unit_us):
                moved_R = micro_R + step
                fits_R = refused_R & ~np.isin(moved_R, self.never_us)
                if self.bounded:
                    fits_R &= np.clip(moved_R, self.low_us, self.high_us) == moved_R
                micro_R = np.where(fits_R, moved_R, micro_R)
                refused_R = refused_R & ~fits_R
        return micro_R

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        return {
            "kind": self.kind,
            "storage": self.storage,
            "day": self.day.to_json(),
            "time": self.time.to_json(),
            "low_us": self.low_us,
            "high_us": self.high_us,
            "special_us": list(self.special_us),
            "never_us": list(self.never_us),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> DatetimeCodec:
        """Make a codec of ``to_json``'s document."""
        return cls(
            document["storage"],
            OrderedCodec.from_json(document["day"]),
            OrderedCodec.from_json(document["time"]),
            document["low_us"],
            document["high_us"],
            tuple(document["special_us"]),
            tuple(document["never_us"]),
        )


def build_date(
    part: Part,
    settings: Column,
    protection: Protection,
    text: TextFormat | None = None,
    cuts: tuple[int, ...] | None = None,
) -> OrderedCodec:
    """Choose the unit, then states and bins of days.

    Where ``cuts`` are given, last days of states, places are as fine as protection allows.
    """
    pattern = settings.format or (text.pattern if text else None)
    values = part.values[0]
    scale = DayScale(str(values.type), day_unit(part, settings, protection.rare_minimum), pattern)
    wishes = ordered_wishes(
        settings, scale, chain=DAY_CHAIN, weekdays=scale.unit == "day", **_cut(scale, cuts)
    )
    return OrderedCodec(scale, build_line(count_ticks(part, scale), wishes, protection))


def build_time(
    part: Part, settings: Column, protection: Protection, text: TextFormat | None = None
) -> OrderedCodec:
    """Choose the unit, then states and bins of times of day."""
    pattern = settings.format or (text.pattern if text else None)
    spelling = str(part.values[0].type)
    micro_P, valid_P = TimeScale(spelling).to_ticks(part.values[0])
    unit = time_unit(micro_P[valid_P], part.roots[valid_P], settings, protection.rare_minimum)
    # A declared bound between two steps would have no step of the day beyond it.
    plain = ordered_wishes(settings, TimeScale(spelling, 1, pattern))
    scale = TimeScale(spelling, math.gcd(unit, plain.low or 0, plain.high or 0), pattern)
    wishes = ordered_wishes(settings, scale, chain=time_chain(scale.unit_us))
    return OrderedCodec(scale, build_line(count_ticks(part, scale), wishes, protection))


def build_datetime(
    part: Part,
    settings: Column,
    protection: Protection,
    text: TextFormat | None = None,
    cuts: tuple[int, ...] | None = None,
) -> DatetimeCodec:
    """Choose the units, then states and bins of days and of times of day; ``cuts`` as for dates."""
    pattern = settings.format or (text.pattern if text else None)
    values = part.values[0]
    moments = MomentScale(str(values.type), pattern=pattern)
    wishes = ordered_wishes(settings, moments)
    micro_P, valid_P = as_micros(values)
    null = bool((~valid_P).any())
    limited_P = (
        np.clip(micro_P, wishes.low, wishes.high) if (wishes.low, wishes.high) != (None, None) else micro_P
    )
    kept_P = valid_P & ~np.isin(micro_P, wishes.never)
    if not wishes.clip:
        kept_P &= limited_P == micro_P
    days = DayScale(str(values.type), day_unit(part, settings, protection.rare_minimum), pattern)
    time_P = limited_P % DAY_US
    unit = time_unit(time_P[kept_P], part.roots[kept_P], settings, protection.rare_minimum)
    unit = DAY_US if days.unit != "day" else unit
    roots, rows = part.roots[kept_P], part.rows[kept_P]
    day_line = build_line(
        Counts(days.from_days(limited_P[kept_P] // DAY_US), roots, rows, null),
        Wishes(
            special=tuple(_day_tick(days, one) for one in wishes.special),
            low=None if wishes.low is None or wishes.clip else _day_tick(days, wishes.low),
            high=None if wishes.high is None or wishes.clip else _day_tick(days, wishes.high),
            quantile=wishes.quantile,
            clip=wishes.clip,
            impute=wishes.impute,
            chain=DAY_CHAIN,
            weekdays=days.unit == "day",
            **_cut(days, cuts),
        ),
        protection,
    )
    time_line = build_line(
        Counts(time_P[kept_P] // unit, roots, rows, null),
        Wishes(impute=wishes.impute, chain=time_chain(unit)),
        protection,
    )
    return DatetimeCodec(
        str(values.type),
        OrderedCodec(days, day_line),
        OrderedCodec(TimeScale("time64[us]", unit), time_line),
        wishes.low,
        wishes.high,
        wishes.special,
        wishes.never,
    )


def _cut(days: DayScale, cuts: tuple[int, ...] | None) -> dict[str, Any]:
    """Give the wishes of a moment that others are counted from."""
    if cuts is None:
        return {}
    return {"fine": True, "cuts": tuple(days.from_days(np.array(cuts, dtype=np.int64)).tolist())}


def _day_tick(days: DayScale, moment_us: int) -> int:
    """Give the tick of a moment's day."""
    return int(days.from_days(np.array([moment_us // DAY_US]))[0])


def time_chain(unit_us: int) -> tuple[int, ...]:
    """Give the moduli of whole seconds, minutes, quarters and hours, in steps of a unit."""
    lengths = (1_000, 1_000_000, 60_000_000, 300_000_000, 900_000_000, 1_800_000_000, 3_600_000_000)
    return (1, *(length // unit_us for length in lengths if length > unit_us))


def day_unit(part: Part, settings: Column, minimum: int) -> str:
    """Give the declared unit, or the coarsest that all but fewer than ``minimum`` roots keep to."""
    if settings.granularity in {"month", "year"}:
        return settings.granularity
    if settings.granularity != "auto":
        return "day"
    plain = DayScale(str(part.values[0].type))
    day_P, valid_P = plain.to_ticks(part.values[0])
    if len(np.unique(day_P[valid_P])) < 3:
        return "day"
    for unit in ("year", "month"):
        scale = DayScale(plain.storage, unit)
        off_P = valid_P & (scale.to_days(scale.from_days(day_P)) != day_P)
        if has_few_roots(off_P, part.roots, minimum=minimum):
            return unit
    return "day"


def time_unit(micro_P: Rows, root_P: Roots, settings: Column, minimum: int) -> int:
    """Give the declared step, or the coarsest that all but fewer than ``minimum`` roots keep to."""
    if settings.granularity in UNITS_US:
        return UNITS_US[settings.granularity]
    for length in UNITS_US.values():
        if has_few_roots(micro_P % length != 0, root_P, minimum=minimum):
            return length
    return 1
