"""The order column of a child table: where a parent's rows begin, and how far each is from the one before.

Order in time holds by construction: gaps are never negative. Rows stand sorted by parent, then order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.columns.base import Rows, Uniforms, count_part
from kinsynth.columns.datetime import day_unit, time_unit
from kinsynth.columns.line import FIRST, MISSING, Line
from kinsynth.columns.numeric import choose_scale, ordered_wishes
from kinsynth.columns.partition import Counts, Wishes, build_line
from kinsynth.columns.scale import DayScale, MomentScale, Scale, read_scale, write_scale
from kinsynth.columns.storage import storage_type
from kinsynth.encoded import IntArray, SubColumn
from kinsynth.schema.table import TextFormat
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

NOT_APPLICABLE = 1
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class SequenceCodec:
    """Codes of an order column: the start, the stretch of the line reached, the gap.

    The chain is the start (not applicable but for the first row of a parent), the stretch reached (which
    gives the model the calendar; decoding ignores it), the gap to the row before (not applicable for the
    first row). The value of a row is the start plus all gaps up to it.

    Attributes:
        scale: Turns values into ticks.
        start: Line of the first row's tick, or of its distance to the parent's moment.
        reached: Line of all ticks.
        gap: Line of the distances.
        relative: Whether the start counts from the parent's moment.
        low, high: Bounds of the result, in ticks.
        refused: Ticks that are never generated.

    Guarantees:
        Decoded values never decrease within a parent.
    """

    kind: ClassVar[str] = "sequence"
    scale: Scale
    start: Line
    reached: Line
    gap: Line
    relative: bool
    low: int
    high: int
    refused: tuple[int, ...] = ()

    @property
    def sub_columns(self) -> tuple[SubColumn, ...]:
        """Start, stretch reached, gap."""
        return (*_chain(self.start), *_chain(self.reached), *_chain(self.gap))

    @property
    def draws(self) -> int:
        """Two: within the start's code and within the gap's."""
        return 2

    def encode(self, values: pa.Array, parent_R: Rows, anchor: pa.Array | None = None) -> IntArray:
        """Turn values into codes.

        Args:
            values: Values of the order column, sorted by parent, then order.
            parent_R: Number of each row's parent, never decreasing, shape (R,).
            anchor: The parent's moment of each row, where the start is relative to it.
        """
        tick_R, valid_R = self.scale.to_ticks(values)
        opens_R, gap_R = split_ticks(tick_R, valid_R, parent_R)
        start_R = tick_R - self._anchors(anchor, len(tick_R))
        later_R = valid_R & ~opens_R
        start_RC = _encode(self.start, start_R, valid_R, applies_R=opens_R)
        gap_RC = _encode(self.gap, gap_R, valid_R, applies_R=later_R)
        reached_RC = _encode(self.reached, tick_R, valid_R, applies_R=valid_R)
        return np.concatenate([start_RC, reached_RC, gap_RC], axis=1)

    def decode(
        self, codes_RC: IntArray, uniform_RD: NDArray[Any], parent_R: Rows, anchor: pa.Array | None = None
    ) -> pa.Array:
        """Turn codes into values; arguments as for ``encode``, uniforms of shape (R, 2)."""
        ends = np.cumsum([len(line.sub_columns) for line in (self.start, self.reached, self.gap)])
        start_RC, gap_RC = codes_RC[:, : ends[0]], codes_RC[:, ends[1] :]
        first_R = first_rows(parent_R)
        missing_R = np.where(first_R, start_RC[:, 0], gap_RC[:, 0]) == MISSING
        valid_R = ~(missing_R & self.missing) & (not self.start.empty)
        opens_R, _ = split_ticks(np.zeros_like(parent_R), valid_R, parent_R)
        start_R = _decode(self.start, start_RC, uniform_RD[:, 0]) + self._anchors(anchor, len(parent_R))
        gap_R = _decode(self.gap, gap_RC, uniform_RD[:, 1])
        tick_R = sum_by_parent(np.where(opens_R, start_R, np.where(valid_R, gap_R, 0)), parent_R)
        tick_R = np.clip(tick_R, self.low, self.high)
        for tick in sorted(self.refused):
            tick_R = np.where(tick_R == tick, tick + 1, tick_R)
        return self.scale.to_values(np.where(valid_R, tick_R, 0), valid_R)

    @property
    def missing(self) -> bool:
        """Whether missing values are generated."""
        return self.start.missing or self.gap.missing

    def _anchors(self, anchor: pa.Array | None, rows: int) -> Rows:
        if not self.relative:
            return np.zeros(rows, dtype=np.int64)
        if anchor is None:
            raise ValueError("the start is relative: the parent's moments are needed")
        tick_R, valid_R = self.scale.to_ticks(anchor.cast(_spelled(self.scale), safe=False))
        return np.where(valid_R, tick_R, self.low)

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        lines = {name: getattr(self, name).to_json() for name in ("start", "reached", "gap")}
        plain = {"relative": self.relative, "low": self.low, "high": self.high, "refused": list(self.refused)}
        return {"kind": self.kind, "scale": write_scale(self.scale), **lines, **plain}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> SequenceCodec:
        """Make a codec of ``to_json``'s document."""
        return cls(
            scale=read_scale(document["scale"]),
            start=Line.from_json(document["start"]),
            reached=Line.from_json(document["reached"]),
            gap=Line.from_json(document["gap"]),
            relative=document["relative"],
            low=document["low"],
            high=document["high"],
            refused=tuple(document["refused"]),
        )


def build_sequence(
    values: pa.Array,
    parent_R: Rows,
    root_R: Rows,
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
        root_R: Number of each row's root, shape (R,).
        settings: Treatment of the column.
        protection: How rare and extreme values are protected.
        anchor: A moment of the parent, of the same kind, repeated for each of its rows; the start counts
            from it where that takes fewer bits.
        text: How values are written in the source.
    """
    scale = _choose_scale(values, root_R, settings, protection, text)
    wishes = ordered_wishes(settings, scale)
    tick_R, valid_R = scale.to_ticks(values)
    low = -(2**62) if wishes.low is None else wishes.low
    high = 2**62 if wishes.high is None else wishes.high
    tick_R = np.clip(tick_R, low, high)
    opens_R, gap_R = split_ticks(tick_R, valid_R, parent_R)
    anchor_R, relative = _choose_anchor(anchor, scale, tick_R, opens_R)
    plain = Wishes(impute=wishes.impute)
    null = bool((~valid_R).any())
    weekdays = isinstance(scale, DayScale) and scale.unit == "day"

    def line(ticks: Rows, kept: Flags, how: Wishes) -> Line:
        ones = np.ones(int(kept.sum()), dtype=np.int64)
        return build_line(Counts(ticks[kept], root_R[kept], ones, null), how, protection)

    special = () if relative else wishes.special
    start = line(
        tick_R - anchor_R, opens_R, replace(plain, special=special, weekdays=weekdays and not relative)
    )
    reached = replace(line(tick_R, valid_R, plain), places=1)
    gap = line(gap_R, valid_R & ~opens_R, plain)
    reach = (int(reached.low_L.min()), int(reached.high_L.max())) if not reached.empty else (low, high)
    return SequenceCodec(
        scale, start, reached, gap, relative, max(low, reach[0]), min(high, reach[1]), tuple(wishes.never)
    )


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


def sum_by_parent(step_R: Rows, parent_R: Rows) -> Rows:
    """Add up steps from the first row of each parent on."""
    if not len(step_R):
        return step_R
    # Sums may run over the end of 64 bits; differences of them are exact all the same.
    total_R = np.cumsum(step_R)
    begin_R = np.maximum.accumulate(np.where(first_rows(parent_R), np.arange(len(step_R)), 0))
    return total_R - (total_R[begin_R] - step_R[begin_R])


def _chain(line: Line) -> tuple[SubColumn, ...]:
    """Give a line's tokens, with the code of other values free to mean "not applicable"."""
    first, *rest = line.sub_columns
    forbidden_K = np.zeros(first.cardinality, dtype=bool)
    forbidden_K[MISSING] = not line.missing
    return (replace(first, forbidden_K=forbidden_K), *rest)


def _encode(line: Line, tick_R: Rows, valid_R: Flags, *, applies_R: Flags) -> IntArray:
    codes_RC = line.encode(tick_R, valid_R)
    codes_RC[valid_R & ~applies_R] = 0
    codes_RC[valid_R & ~applies_R, 0] = NOT_APPLICABLE
    return codes_RC


def _decode(line: Line, codes_RC: IntArray, uniform_R: Uniforms) -> Rows:
    """Draw ticks; a code without a value stands for any value."""
    if line.empty:
        return np.zeros(len(codes_RC), dtype=np.int64)
    known_RC = codes_RC.copy()
    known_RC[:, 0] = np.where(known_RC[:, 0] < FIRST, NOT_APPLICABLE, known_RC[:, 0])
    return line.decode(known_RC, uniform_R)[0]


def _spelled(scale: Any) -> pa.DataType:
    return storage_type(scale.storage)


def _choose_scale(
    values: pa.Array, root_R: Rows, settings: Column, protection: Protection, text: TextFormat | None
) -> Scale:
    part = count_part((values,), root_R)
    pattern = settings.format or (text.pattern if text else None)
    minimum = protection.rare_minimum
    if pa.types.is_date(values.type):
        return DayScale(str(values.type), day_unit(part, settings, minimum), pattern)
    if pa.types.is_timestamp(values.type):
        micro_R, valid_R = MomentScale(str(values.type)).to_ticks(values)
        unit = time_unit(micro_R[valid_R], root_R[valid_R], settings, minimum)
        return MomentScale(str(values.type), unit, pattern)
    return choose_scale(part, settings, minimum, text)


def _choose_anchor(anchor: pa.Array | None, scale: Any, tick_R: Rows, opens_R: Flags) -> tuple[Rows, bool]:
    """Decide whether starts take fewer bits when counted from the parent's moment."""
    nothing = np.zeros(len(tick_R), dtype=np.int64)
    if anchor is None or opens_R.sum() < 2:
        return nothing, False
    anchor_R, known_R = scale.to_ticks(anchor.cast(_spelled(scale), safe=False))
    if not known_R[opens_R].all():
        return nothing, False
    relative = _bits((tick_R - anchor_R)[opens_R]) < _bits(tick_R[opens_R])
    return (anchor_R, True) if relative else (nothing, False)


def _bits(tick_R: Rows) -> float:
    """Estimate the bits of a value from the distances of sorted neighbours (Vasicek's entropy)."""
    ordered = np.sort(tick_R)
    reach = max(int(len(ordered) ** 0.5), 1)
    return float(np.log2(1.0 + (ordered[reach:] - ordered[:-reach]) / reach).mean())
