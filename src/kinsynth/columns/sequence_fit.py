"""Fitting of an order column: how starts and gaps are counted, and the lines they stand on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from kinsynth.columns.absence import Absences, are_told
from kinsynth.columns.base import Rows, count_part
from kinsynth.columns.calendar import Calendar, Unit
from kinsynth.columns.datetime import day_unit, time_chain, time_unit
from kinsynth.columns.line import Line
from kinsynth.columns.numeric import choose_scale, ordered_wishes
from kinsynth.columns.partition import Counts, Wishes, build_line
from kinsynth.columns.scale import DAY_US, END, DayScale, MomentScale, Scale, TimeScale
from kinsynth.columns.sequence import SequenceCodec, spelled
from kinsynth.columns.step import Flags, Step
from kinsynth.columns.walk import split_ticks
from kinsynth.privacy.protection import Numbered, number_of_roots
from kinsynth.schema.table import TextFormat
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column


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
    anchor: pa.Array | None, scale: Scale, tick_R: Rows, opens_R: Flags, *, low: int
) -> tuple[Rows, bool]:
    """Decide whether starts take fewer bits counted from the parent's moment, from ``low`` without one."""
    nothing = np.zeros(len(tick_R), dtype=np.int64)
    if anchor is None or opens_R.sum() < 2:
        return nothing, False
    anchor_R, known_R = scale.to_ticks(anchor.cast(spelled(scale), safe=False))
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
