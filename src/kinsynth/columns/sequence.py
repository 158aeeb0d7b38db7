"""The order column of a child table: where a parent's rows begin, and how far each is from the one before.

Order in time holds by construction: gaps are never negative. Rows stand sorted by parent, then order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.columns.absence import Absences
from kinsynth.columns.base import Rows, Uniforms
from kinsynth.columns.calendar import Calendar, Place, Unit
from kinsynth.columns.line import FIRST, MISSING, Line
from kinsynth.columns.overrun import end_by
from kinsynth.columns.scale import (
    END,
    Scale,
    read_scale,
    write_scale,
)
from kinsynth.columns.step import DRAWS, NOT_APPLICABLE, Flags, Step, chain, encode_line
from kinsynth.columns.walk import (
    Stretches,
    ascend_by_parent,
    first_rows,
    sort_within,
    split_ticks,
    state_ends,
    walk_by_parent,
)
from kinsynth.encoded import ANY, AS_BEFORE, IntArray, SubColumn
from kinsynth.schema.storage import storage_type


@dataclass(frozen=True, eq=False)
class SequenceCodec:
    """Codes of an order column: the start, the stretch of the line reached, the gap.

    The chain is the start (not applicable but for the first row of a parent), the stretch reached, the gap
    to the row before (not applicable for the first row). Start and gap are exact distances, or days, weeks
    or months with the day and time reached, whichever takes fewer bits; of exact gaps long ones, absences,
    may be days with the time of day. Where a gap leads out of the stretch reached, the row stands anywhere in
    the stretch, so that sequences neither drift nor pile up at borders.
    Exact gaps may lead some way out: a mean stretch where the stretch takes fewer bits than the gap, so that
    it is learned better; else anywhere, and a sequence that they lead beyond its end moves back.

    Attributes:
        scale: Turns values into ticks.
        start: The first row, counted from the parent's moment or from 1970.
        reached: Line of all rows, in the unit of the gap.
        gap: The later rows, each counted from the row before.
        relative: Whether the start counts from the parent's moment.
        follows: Whether no start lies before the parent's moment.
        slack: Periods that a gap may lead out of the stretch reached; ``END`` for any.
        low, high: Bounds of the result, in ticks.
        refused: Ticks that are never generated.

    Guarantees:
        Decoded values never decrease within a parent. Where ``follows``, none lies before the parent's
        moment, unless a bound says so.
    """

    kind: ClassVar[str] = "sequence"
    scale: Scale
    start: Step
    reached: Line
    gap: Step
    relative: bool
    follows: bool
    slack: int
    low: int
    high: int
    refused: tuple[int, ...] = ()

    @property
    def sub_columns(self) -> tuple[SubColumn, ...]:
        """Start, stretch reached, gap."""
        return (*self.start.sub_columns, *chain(self.reached), *self.gap.sub_columns)

    @property
    def draws(self) -> int:
        """Four: within the codes of the distance, of the day and of the time, and within the stretch."""
        return DRAWS + 1

    def encode(self, values: pa.Array, parent_R: Rows, anchor: pa.Array | None = None) -> IntArray:
        """Turn values into codes.

        Args:
            values: Values of the order column, sorted by parent, then order.
            parent_R: Number of each row's parent, never decreasing, shape (R,).
            anchor: The parent's moment of each row, where the start is relative to it; missing for a row
                without a parent.
        """
        tick_R, valid_R = self.scale.to_ticks(values)
        opens_R, gap_R = split_ticks(tick_R, valid_R, parent_R)
        start = self._places(tick_R, self._anchors(anchor, len(tick_R)), self.start.unit)
        start_RC = self.start.encode(start, valid_R, applies_R=opens_R)
        gap_RC = self._encode_gaps(tick_R, gap_R, valid_R, opens_R)
        period_R = self.calendar.split(tick_R, self.gap.unit).period_R
        reached_RC = encode_line(self.reached, period_R, valid_R, applies_R=valid_R)
        return np.concatenate([start_RC, reached_RC, gap_RC], axis=1)

    def _encode_gaps(self, tick_R: Rows, gap_R: Rows, valid_R: Flags, opens_R: Flags) -> IntArray:
        applies_R = valid_R & ~opens_R
        if self.gap.parts_absences:
            absences = Absences.of(tick_R, gap_R, self.calendar.per_day)
            return self.gap.encode(
                absences.place(gap_R), valid_R, applies_R=applies_R, absent_R=absences.long_R
            )
        return self.gap.encode(
            self._places(tick_R, tick_R - gap_R, self.gap.unit), valid_R, applies_R=applies_R
        )

    def decode(
        self, codes_RC: IntArray, uniform_RD: NDArray[Any], parent_R: Rows, anchor: pa.Array | None = None
    ) -> pa.Array:
        """Turn codes into values; arguments as for ``encode``, uniforms of shape (R, 4)."""
        rows, first = len(parent_R), len(self.start.sub_columns)
        if self.empty:
            return self.scale.to_values(np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=bool))
        start_RC, reached_RC, gap_RC = np.split(
            codes_RC, [first, first + len(self.reached.sub_columns)], axis=1
        )
        missing_R = np.where(first_rows(parent_R), start_RC[:, 0], gap_RC[:, 0]) == MISSING
        valid_R = ~(missing_R & self.missing)
        opens_R, _ = split_ticks(np.zeros_like(parent_R), valid_R, parent_R)
        anchor_R = self._anchors(anchor, rows)
        start_R = self._start_ticks(self.start.decode(start_RC, uniform_RD), anchor_R)
        gap = self.gap.decode(gap_RC, uniform_RD)
        absent_R = valid_R & ~opens_R & (gap_RC[:, 0] == NOT_APPLICABLE) & self.gap.parts_absences
        reached = self._stretches(reached_RC, valid_R, uniform_RD[:, DRAWS])
        tick_R = self._add_gaps(
            start_R,
            gap,
            reached=reached,
            opens_R=opens_R,
            valid_R=valid_R,
            absent_R=absent_R,
            parent_R=parent_R,
        )
        if self.gap.unit == "tick":
            first_R = np.maximum(anchor_R, self.low) if self.follows else np.full(rows, self.low)
            step = self.calendar.per_day if self.gap.parts_absences else 1
            tick_R[valid_R] = end_by(
                tick_R[valid_R], self.high, first_R[valid_R], parent_R[valid_R], step=step
            )
        tick_R = self._pass_refused(np.clip(tick_R, self.low, self.high))
        return self.scale.to_values(np.where(valid_R, tick_R, 0), valid_R)

    def repeated(self) -> tuple[tuple[int, int], ...]:
        """Give the codes of a row that stands where the row before does: places in the chain, and codes.

        The gap comes first. ``AS_BEFORE`` is the code of the row before, ``ANY`` one that the gap does not
        tell: days and times of periods are counted from none, and a missing row has no gap.
        """
        start, reached = len(self.start.sub_columns), len(chain(self.reached))
        first = start + reached
        width = len(self.gap.sub_columns)
        if self.missing:
            return tuple((first + place, ANY) for place in range(width))
        zero, one = np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.bool_)
        absent = ~one if self.gap.parts_absences else None
        codes = self.gap.encode(Place(zero, zero, zero), one, applies_R=one, absent_R=absent)[0].tolist()
        told = width if self.gap.unit == "tick" else len(chain(self.gap.distance))
        gaps = [(first + place, code if place < told else ANY) for place, code in enumerate(codes)]
        return (*gaps, *((start + place, AS_BEFORE) for place in range(reached)))

    def _pass_refused(self, tick_R: Rows) -> Rows:
        """Move refused ticks to the next one that is not, the last ones back; order stays."""
        last = self.high
        for tick in sorted(self.refused):
            tick_R = np.where(tick_R == tick, tick + 1, tick_R)
        while last in self.refused:
            last -= 1
        return np.minimum(tick_R, last)

    def _start_ticks(self, start: Place, anchor_R: Rows) -> Rows:
        origin_R = self._origins(anchor_R, self.start.unit)
        start_R = self._join(start._replace(period_R=origin_R + start.period_R), self.start.unit)
        if not self.relative:
            start_R = self._fold(start_R)
        return np.maximum(start_R, anchor_R) if self.follows else start_R

    def _fold(self, tick_R: Rows) -> Rows:
        """Fold days beyond the bounds back: a month that the bounds cut short is drawn with all its days."""
        if self.start.unit == "tick":
            return tick_R
        day_R, time_R = np.divmod(tick_R, self.calendar.per_day)
        low, high = self.low // self.calendar.per_day, self.high // self.calendar.per_day
        day_R = np.where(tick_R > self.high, 2 * high - day_R, day_R)
        return np.where(tick_R < self.low, 2 * low - day_R, day_R) * self.calendar.per_day + time_R

    def _add_gaps(
        self,
        start_R: Rows,
        gap: Place,
        *,
        reached: Stretches,
        opens_R: Flags,
        valid_R: Flags,
        absent_R: Flags,
        parent_R: Rows,
    ) -> Rows:
        """Count each row from the one before; days and times of one period come in their order."""
        unit = self.gap.unit
        begin = self.calendar.split(np.clip(start_R, self.low, self.high), unit)
        step_R = np.where(opens_R, begin.period_R, np.where(valid_R, gap.period_R, 0))
        absences = Absences(absent_R, gap.day_R, gap.time_R, max(self.calendar.per_day, 1))
        period_R = walk_by_parent(step_R, opens_R, reached, parent_R, absences)
        day_R, time_R = np.where(opens_R, begin.day_R, gap.day_R), np.where(opens_R, begin.time_R, gap.time_R)
        if unit == "tick":
            return period_R
        tick_R = self._join(Place(period_R, day_R, time_R), unit)
        # No model knows the first row to the day: what it draws before it goes to the rest of that period.
        tick_R = self._behind_first(tick_R, period_R, opens_R, valid_R)
        # Where a model draws days of one month out of order, sorting keeps their shares.
        tick_R = sort_within(tick_R, valid_R & ~opens_R, (parent_R, period_R))
        return ascend_by_parent(tick_R, valid_R, parent_R)

    def _behind_first(self, tick_R: Rows, period_R: Rows, opens_R: Flags, valid_R: Flags) -> Rows:
        """Spread rows of the period of their parent's first row that lie before it over the rest of it."""
        first_R = (
            np.maximum.accumulate(np.where(opens_R, np.arange(len(tick_R)), 0)) if len(tick_R) else tick_R
        )
        floor_R = tick_R[first_R]
        same_R = valid_R & ~opens_R & (period_R == period_R[first_R])
        before = np.flatnonzero(same_R & (tick_R < floor_R))
        low_B, end_B = (self.calendar.begin(period_R[before] + step, self.gap.unit) for step in (0, 1))
        floor_B, last_B = floor_R[before], np.minimum(end_B - 1, self.high)
        share_B = (tick_R[before] - low_B) / (floor_B - low_B)
        behind_B = floor_B + 1 + np.floor(share_B * (last_B - floor_B)).astype(np.int64)
        moved_R = tick_R.copy()
        moved_R[before] = np.where(last_B > floor_B, behind_B, tick_R[before])
        return moved_R

    def _stretches(self, codes_RC: IntArray, valid_R: Flags, uniform_R: Uniforms) -> Stretches:
        """Give the stretch that each row says it reached; all of the line where it says none."""
        low, high = self._periods_of_bounds(self.gap.unit).tolist()
        state_R = codes_RC[:, 0].astype(np.int64)
        known_R = valid_R & (state_R >= FIRST)
        low_K, high_K = state_ends(self.reached)
        code_R = np.where(known_R, state_R - FIRST, 0)
        low_R, high_R = (np.clip(end_K[code_R], low, high) for end_K in (low_K, high_K))
        end = END if self.slack == END else high  # ``end_by`` moves what lies beyond the end
        return Stretches(
            np.where(known_R, low_R, low), np.where(known_R, high_R, high), uniform_R, self.slack, end
        )

    def _periods_of_bounds(self, unit: Unit) -> Rows:
        return self.calendar.split(np.array([self.low, self.high]), unit).period_R

    def _join(self, place: Place, unit: Unit) -> Rows:
        """Join places whose periods may lie far outside the bounds."""
        low, high = self._periods_of_bounds(unit)
        return self.calendar.join(place._replace(period_R=np.clip(place.period_R, low, high)), unit)

    @property
    def calendar(self) -> Calendar:
        """How ticks become weeks and months."""
        return Calendar.of(self.scale)

    @property
    def missing(self) -> bool:
        """Whether missing values are generated."""
        return self.empty or self.start.missing or self.gap.missing

    @property
    def empty(self) -> bool:
        """Whether value protection left nothing to learn: every value is missing."""
        return self.start.empty or self.reached.empty

    def _places(self, tick_R: Rows, origin_R: Rows, unit: Unit) -> Place:
        place = self.calendar.split(tick_R, unit)
        return place._replace(period_R=place.period_R - self._origins(origin_R, unit))

    def _origins(self, origin_R: Rows, unit: Unit) -> Rows:
        return self.calendar.split(origin_R, unit).period_R

    def _anchors(self, anchor: pa.Array | None, rows: int) -> Rows:
        if not self.relative:
            return np.zeros(rows, dtype=np.int64)
        if anchor is None:
            raise ValueError("the start is relative: the parent's moments are needed")
        tick_R, valid_R = self.scale.to_ticks(anchor.cast(spelled(self.scale), safe=False))
        return np.where(valid_R, tick_R, self.low)

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        parts = {name: getattr(self, name).to_json() for name in ("start", "reached", "gap")}
        plain = {name: getattr(self, name) for name in ("relative", "follows", "slack", "low", "high")}
        return {
            "kind": self.kind,
            "scale": write_scale(self.scale),
            **parts,
            **plain,
            "refused": list(self.refused),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> SequenceCodec:
        """Make a codec of ``to_json``'s document."""
        return cls(
            scale=read_scale(document["scale"]),
            start=Step.from_json(document["start"]),
            reached=Line.from_json(document["reached"]),
            gap=Step.from_json(document["gap"]),
            relative=document["relative"],
            follows=document["follows"],
            slack=document["slack"],
            low=document["low"],
            high=document["high"],
            refused=tuple(document["refused"]),
        )


def spelled(scale: Scale) -> pa.DataType:
    """Give the type in which a scale takes values."""
    return storage_type(scale.storage)
