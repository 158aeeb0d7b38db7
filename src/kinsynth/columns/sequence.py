"""The order column of a child table: where a parent's rows begin, and how far each is from the one before.

Order in time holds by construction: gaps are never negative. Rows stand sorted by parent, then order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.columns.absence import Absences, are_told
from kinsynth.columns.base import Rows, Uniforms, count_part
from kinsynth.columns.calendar import Calendar, Place, Unit
from kinsynth.columns.datetime import day_unit, time_chain, time_unit
from kinsynth.columns.line import FIRST, MISSING, Line
from kinsynth.columns.numeric import choose_scale, ordered_wishes
from kinsynth.columns.overrun import end_by
from kinsynth.columns.partition import Counts, Wishes, build_line
from kinsynth.columns.scale import (
    DAY_US,
    END,
    DayScale,
    MomentScale,
    Scale,
    TimeScale,
    read_scale,
    write_scale,
)
from kinsynth.columns.step import DRAWS, NOT_APPLICABLE, Flags, Step, chain, encode_line
from kinsynth.encoded import ANY, AS_BEFORE, IntArray, SubColumn
from kinsynth.privacy.protection import Numbered, number_of_roots
from kinsynth.schema.storage import storage_type
from kinsynth.schema.table import TextFormat
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column


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
        tick_R, valid_R = self.scale.to_ticks(anchor.cast(_spelled(self.scale), safe=False))
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


def build_sequence(
    values: pa.Array,
    parent_R: Rows,
    root_R: Numbered,
    settings: Column,
    protection: Protection,
    *,
    anchor: pa.Array | None = None,
    text: TextFormat | None = None,
) -> SequenceCodec:
    """Make the codec of an order column.

    Args:
        values: Values of the order column, sorted by parent, then order.
        parent_R: Number of each row's parent, never decreasing, shape (R,).
        root_R: Number of each row's root, by one unit or more, shape (R,).
        settings: Treatment of the column.
        protection: How rare and extreme values are protected.
        anchor: A moment of the parent, of the same kind, repeated for each of its rows; the start counts
            from it where that takes fewer bits. Rows without a parent have none: they count from the first
            moment that may come out.
        text: How values are written in the source.
    """
    scale = _choose_scale(values, root_R, settings, protection, text)
    wishes = ordered_wishes(settings, scale)
    tick_R, valid_R = scale.to_ticks(values)
    low = -END if wishes.low is None else min(max(wishes.low, -END), END)
    high = END if wishes.high is None else min(max(wishes.high, -END), END)
    tick_R = np.clip(tick_R, low, high)
    opens_R, gap_R = split_ticks(tick_R, valid_R, parent_R)
    missing = bool((~valid_R).any())
    fit = _Fit(Calendar.of(scale), wishes.impute, missing, protection)
    whole = fit.line(tick_R[valid_R], root_R[valid_R], Wishes())
    reach = _reach(whole, low, high)
    anchor_R, relative = _choose_anchor(anchor, scale, tick_R, opens_R, low=reach[0])
    special = () if relative else wishes.special
    start = fit.start(tick_R[opens_R], anchor_R[opens_R], root_R[opens_R], relative=relative, special=special)
    later_R = valid_R & ~opens_R
    gap = fit.gap(tick_R[later_R], (tick_R - gap_R)[later_R], root_R[later_R])
    period_R = fit.calendar.split(tick_R[valid_R], gap.unit).period_R
    reached = whole if whole.empty else fit.line(period_R, root_R[valid_R], Wishes()).without_places()
    before_R = opens_R & (tick_R < anchor_R)
    return SequenceCodec(
        scale=scale,
        start=start,
        reached=reached,
        gap=gap,
        relative=relative,
        follows=relative and number_of_roots(root_R[before_R]) < protection.rare_minimum,
        slack=_slack(reached, tick_R[later_R], gap_R[later_R]) if gap.unit == "tick" else 0,
        low=reach[0],
        high=reach[1],
        refused=tuple(wishes.never),
    )


@dataclass(frozen=True)
class _Fit:
    """What all lines of an order column have in common."""

    calendar: Calendar
    impute: bool
    missing: bool
    protection: Protection

    def line(self, tick_R: Rows, root_R: Numbered, wishes: Wishes) -> Line:
        counts = Counts(tick_R, root_R, np.ones(len(tick_R), dtype=np.int64), self.missing)
        return build_line(counts, replace(wishes, impute=self.impute), self.protection)

    def start(
        self, tick_R: Rows, origin_R: Rows, root_R: Numbered, *, relative: bool, special: tuple[int, ...]
    ) -> Step:
        """Make the lines of first rows; special values are kept by counting ticks."""
        unit: Unit = "tick"
        if relative:
            unit = self.calendar.choose_unit(origin_R, tick_R, root_R)
        elif not special:
            unit = self.calendar.choose_absolute(tick_R, root_R)
        plain = Wishes(special=special, fine=True)
        return self._step(tick_R, origin_R, root_R, unit, plain)

    def gap(self, tick_R: Rows, before_R: Rows, root_R: Numbered) -> Step:
        """Make the lines of later rows."""
        unit = self.calendar.choose_unit(before_R, tick_R, root_R)
        gap_R, per_day = tick_R - before_R, self.calendar.per_day
        if unit != "tick" or not are_told(tick_R, gap_R, root_R, per_day, self.protection.rare_minimum):
            return self._step(tick_R, before_R, root_R, unit, Wishes(fine=True))
        absences = Absences.of(tick_R, gap_R, per_day)
        near_R, long_R = ~absences.long_R, absences.long_R
        return Step(
            unit,
            self.line(gap_R[near_R], root_R[near_R], Wishes(fine=True)),
            self.line(absences.day_R[long_R], root_R[long_R], Wishes(fine=True)),
            self.line(absences.time_R[long_R], root_R[long_R], self._times),
        )

    def _step(self, tick_R: Rows, origin_R: Rows, root_R: Numbered, unit: Unit, wishes: Wishes) -> Step:
        place = self.calendar.split(tick_R, unit)
        distance_R = place.period_R - self.calendar.split(origin_R, unit).period_R
        return Step(
            unit,
            self.line(distance_R, root_R, wishes),
            self.line(place.day_R, root_R, Wishes()) if unit in ("week", "month") else None,
            self.line(place.time_R, root_R, self._times)
            if unit != "tick" and self.calendar.per_day > 1
            else None,
        )

    @property
    def _times(self) -> Wishes:
        return Wishes(chain=time_chain(DAY_US // self.calendar.per_day), fine=True)


def first_rows(parent_R: Rows) -> Flags:
    """Say which rows are the first of their parent."""
    first_R = np.ones(len(parent_R), dtype=bool)
    first_R[1:] = parent_R[1:] != parent_R[:-1]
    return first_R


def split_ticks(tick_R: Rows, valid_R: Flags, parent_R: Rows) -> tuple[Flags, Rows]:
    """Say which rows open their parent's sequence, and give the distance of the others to the row before.

    The row before is the nearest earlier one of the same parent that is not missing.
    """
    rows = np.arange(len(tick_R))
    begin_R = np.maximum.accumulate(np.where(first_rows(parent_R), rows, 0)) if len(rows) else rows
    last_R = np.maximum.accumulate(np.where(valid_R, rows, -1)) if len(rows) else rows
    before_R = np.concatenate([[-1], last_R[:-1]]) if len(rows) else rows
    follows_R = valid_R & (before_R >= begin_R)
    gap_R = np.where(follows_R, tick_R - tick_R[before_R.clip(0)], 0) if len(rows) else tick_R
    return valid_R & ~follows_R, np.maximum(gap_R, 0)


class Stretches(NamedTuple):
    """Where rows may stand.

    Attributes:
        low_R: First place of each row's stretch.
        high_R: Last place.
        uniform_R: Where in it a row stands that its gap leads out.
        slack: Places that a gap may lead out of a stretch.
        end: Last place of all rows.
    """

    low_R: Rows
    high_R: Rows
    uniform_R: Uniforms
    slack: int
    end: int

    def enter(self, before_T: Rows, step_T: Rows, turn: Rows) -> Rows:
        """Give the places of some rows a step from those before: anew in the stretch where that is out of it.

        A step that is not zero does not become zero, unless the stretch lies behind. Steps that may lead out
        then have all places ahead, others none.
        """
        moved_T, first_T = before_T + step_T, before_T + np.minimum(step_T, 1)
        high_T = np.where((self.high_R[turn] < first_T) & (self.slack > 0), self.end, self.high_R[turn])
        low_T = self.low_R[turn]
        out_T = (moved_T < low_T - self.slack) | (moved_T > np.minimum(high_T + self.slack, self.end))
        begin_T = np.maximum(low_T, first_T)
        anew_T = begin_T + (self.uniform_R[turn] * (high_T - begin_T + 1)).astype(np.int64)
        anew_T = np.where(high_T < first_T, before_T, np.minimum(anew_T, high_T))
        return np.where(out_T, anew_T, moved_T)


def walk_by_parent(
    step_R: Rows,
    opens_R: Flags,
    reached: Stretches,
    parent_R: Rows,
    absences: Absences | None = None,
) -> Rows:
    """Add up steps of each parent from its opening row on, never down, into the stretches reached.

    Args:
        step_R: Where an opening row stands, how far each other row lies from the one before.
        opens_R: Which rows open their parent's sequence.
        reached: Where the other rows may stand.
        parent_R: Number of each row's parent, never decreasing, shape (R,).
        absences: Rows whose step ends at a time of day.
    """
    first_R = first_rows(parent_R)
    parent_R, rows = np.cumsum(first_R) - 1, np.arange(len(step_R))
    turn_R = rows - np.flatnonzero(first_R)[parent_R]
    at_P, walked_R = np.zeros(int(first_R.sum()), dtype=np.int64), np.zeros_like(step_R)
    for turn in np.split(np.argsort(turn_R, kind="stable"), np.cumsum(np.bincount(turn_R))):
        before, step = at_P[parent_R[turn]], step_R[turn]
        step = step if absences is None else absences.step(before, step, turn)
        moved = reached.enter(before, step, turn)
        walked_R[turn] = np.where(opens_R[turn], step_R[turn], moved)
        at_P[parent_R[turn]] = walked_R[turn]
    return walked_R


def sort_within(tick_R: Rows, moved_R: Flags, keys: tuple[Rows, Rows]) -> Rows:
    """Sort the ticks of some rows within the rows that share the keys, which ascend; others stay."""
    moved = np.flatnonzero(moved_R)
    sorted_R = tick_R.copy()
    order = np.lexsort((tick_R[moved], *(key_R[moved] for key_R in reversed(keys))))
    sorted_R[moved] = tick_R[moved][order]
    return sorted_R


def state_ends(line: Line) -> tuple[Rows, Rows]:
    """Give the first and the last tick of each state."""
    first = np.flatnonzero(np.diff(line.state_L, prepend=-1))
    return np.minimum.reduceat(line.low_L, first), np.maximum.reduceat(line.high_L, first)


def ascend_by_parent(tick_R: Rows, valid_R: Flags, parent_R: Rows) -> Rows:
    """Raise each tick to the highest one so far of its parent; missing rows do not count."""
    if not len(tick_R):
        return tick_R
    # Ranks instead of ticks: what is added for each parent must not run over 64 bits.
    values, rank_R = np.unique(np.where(valid_R, tick_R, tick_R.min()), return_inverse=True)
    begin_R = np.cumsum(first_rows(parent_R)) * len(values)
    ascending: Rows = values[np.maximum.accumulate(rank_R + begin_R) - begin_R]
    return ascending


def _reach(line: Line, low: int, high: int) -> tuple[int, int]:
    """Narrow bounds to what value protection left of all ticks."""
    if line.empty:
        return low, high
    return max(low, int(line.low_L.min())), min(high, int(line.high_L.max()))


def _slack(reached: Line, tick_P: Rows, gap_P: Rows) -> int:
    """Give how far exact gaps may lead out of stretches."""
    if reached.empty or not len(gap_P):
        return 0
    low, high = int(reached.low_L.min()), int(reached.high_L.max())
    stretch_P = reached.encode(tick_P, np.ones(len(tick_P), dtype=bool))[:, 0].astype(np.int64)
    return max((high - low) // reached.states, 1) if _entropy(gap_P) > _entropy(stretch_P) else END


def _entropy(symbol_P: Rows) -> float:
    """Give the bits of a symbol whose shares are known."""
    share_K = np.unique(symbol_P, return_counts=True)[1] / len(symbol_P)
    return float(-(share_K * np.log2(share_K)).sum())


def _spelled(scale: Any) -> pa.DataType:
    return storage_type(scale.storage)


def _choose_scale(
    values: pa.Array, root_R: Numbered, settings: Column, protection: Protection, text: TextFormat | None
) -> Scale:
    part = count_part((values,), root_R)
    pattern = settings.format or (text.pattern if text else None)
    minimum = protection.rare_minimum
    if pa.types.is_date(values.type):
        return DayScale(str(values.type), day_unit(part, settings, minimum), pattern)
    if pa.types.is_timestamp(values.type) or pa.types.is_time(values.type):
        kind = TimeScale if pa.types.is_time(values.type) else MomentScale
        micro_R, valid_R = kind(str(values.type)).to_ticks(values)
        unit = time_unit(micro_R[valid_R], root_R[valid_R], settings, minimum)
        return kind(str(values.type), unit, pattern)
    return choose_scale(part, settings, minimum, text)


def _choose_anchor(
    anchor: pa.Array | None, scale: Any, tick_R: Rows, opens_R: Flags, *, low: int
) -> tuple[Rows, bool]:
    """Decide whether starts take fewer bits counted from the parent's moment, from ``low`` without one."""
    nothing = np.zeros(len(tick_R), dtype=np.int64)
    if anchor is None or opens_R.sum() < 2:
        return nothing, False
    anchor_R, known_R = scale.to_ticks(anchor.cast(_spelled(scale), safe=False))
    if not known_R[opens_R].any():
        return nothing, False
    anchor_R = np.where(known_R, anchor_R, low)
    relative = _bits((tick_R - anchor_R)[opens_R]) < _bits(tick_R[opens_R])
    return (anchor_R, True) if relative else (nothing, False)


def _bits(tick_R: Rows) -> float:
    """Estimate the bits of a value from the distances of sorted neighbours (Vasicek's entropy)."""
    ordered = np.sort(tick_R)
    reach = max(int(len(ordered) ** 0.5), 1)
    return float(np.log2(1.0 + (ordered[reach:] - ordered[:-reach]) / reach).mean())
