"""Relative columns: drawn as the distance to another column, of the same row or of another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.base import count_part
from kinsynth.columns.measure import Measure, read_measure, write_measure
from kinsynth.columns.numeric import OrderedCodec, build_number
from kinsynth.encoded import IntArray, SubColumn
from kinsynth.privacy.protection import Numbered
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column


@dataclass(frozen=True, eq=False)
class RelativeCodec:
    """Codes of the distance from the anchor, in steps.

    Attributes:
        measure: Exact measure of the column and its anchor.
        step: Ticks of one step.
        least: Fewest steps: 1 where the two are never equal, 0 where it is never below; None for any.
        low, high: Smallest and largest value that enough roots reach, ticks.
        distance: Codec of the steps.
        refused: Ticks that are never generated.

    Guarantees:
        A decoded value is at least ``least`` steps above its anchor, where that is said. It stays between
        ``low`` and ``high`` as far as the anchor and refused values allow.
    """

    kind: ClassVar[str] = "relative"
    measure: Measure
    step: int
    least: int | None
    low: int
    high: int
    distance: OrderedCodec
    refused: tuple[int, ...] = ()

    @property
    def sub_columns(self) -> tuple[SubColumn, ...]:
        """Those of the distance."""
        return self.distance.sub_columns

    @property
    def draws(self) -> int:
        """As many as the distance needs."""
        return self.distance.draws

    def steps(self, values: pa.Array, anchor: pa.Array) -> pa.Array:
        """Give the distance from the anchor; missing where one of the two is."""
        return count_steps(values, anchor, self.measure, self.step)

    def encode(self, values: pa.Array, anchor: pa.Array) -> IntArray:
        """Turn values into codes; one without an anchor is missing."""
        return self.distance.encode((self.steps(values, anchor),))

    def decode(self, codes_RC: IntArray, uniform_RD: NDArray[Any], anchor: pa.Array) -> pa.Array:
        """Turn codes into values; without an anchor they are missing.

        Where missing values are never generated, those without an anchor are counted from the middle.
        """
        steps = self.distance.decode(codes_RC, uniform_RD)[0]
        if not (self.distance.line.missing or self.distance.line.empty):
            anchor = pc.coalesce(anchor, self.middle)
        anchor_R, known_R = self.measure.to_ticks(anchor)
        valid_R = known_R & steps.is_valid().to_numpy(zero_copy_only=False)
        tick_R = anchor_R + self.step * steps.fill_null(0).to_numpy()
        tick_R = np.clip(tick_R, self.low, self.high)
        if self.least is not None:
            tick_R = np.maximum(tick_R, anchor_R + self.step * self.least)
        for tick in sorted(self.refused):  # upwards, so that the anchor stays below
            tick_R = np.where(tick_R == tick, tick + self.step, tick_R)
        return self.measure.to_values(tick_R, valid_R)

    @property
    def middle(self) -> pa.Scalar:
        """A value in the middle of the bounds, for a row without an anchor."""
        tick = self.low + (self.high - self.low) // self.step // 2 * self.step
        return self.measure.to_values(np.array([tick]), np.array([True]))[0]

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        return {
            "kind": self.kind,
            "measure": write_measure(self.measure),
            "step": self.step,
            "least": self.least,
            "low": self.low,
            "high": self.high,
            "distance": self.distance.to_json(),
            "refused": list(self.refused),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> RelativeCodec:
        """Make a codec of ``to_json``'s document."""
        fields = {name: document[name] for name in ("step", "least", "low", "high")}
        distance = OrderedCodec.from_json(document["distance"])
        refused = tuple(document["refused"])
        return cls(measure=read_measure(document["measure"]), distance=distance, refused=refused, **fields)


def build_relative(
    values: pa.Array,
    anchor: pa.Array,
    root_R: Numbered | None,
    protection: Protection,
    *,
    measure: Measure,
    step: int,
    least: int | None,
    low: int,
    high: int,
) -> RelativeCodec:
    """Count distances from the anchor."""
    part = count_part((count_steps(values, anchor, measure, step),), root_R)
    return RelativeCodec(measure, step, least, low, high, build_number(part, Column(), protection))


def count_steps(values: pa.Array, anchor: pa.Array, measure: Measure, step: int) -> pa.Array:
    """Count the steps from the anchor to each value; missing where one of the two is."""
    (tick_R, valid_R), (anchor_R, known_R) = measure.to_ticks(values), measure.to_ticks(anchor)
    return pa.array((tick_R - anchor_R) // step, mask=~(valid_R & known_R))
