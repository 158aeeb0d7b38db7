"""Step: how far a row of a sequence lies from where it is counted from, as codes.

The chain is the distance in a unit of the calendar, the day within the unit, the time of day. Exact distances
may have days and times of day, too: of absences, which have no exact distance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinsynth.columns.base import Rows, Uniforms
from kinsynth.columns.calendar import Place, Unit
from kinsynth.columns.line import FIRST, MISSING, Line
from kinsynth.encoded import IntArray, SubColumn

NOT_APPLICABLE = 1
DRAWS = 3
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Step:
    """Lines of a distance, of the day within the unit and of the time of day.

    Attributes:
        unit: What distances are counted in.
        distance: Line of the distances.
        day: Line of the days within the unit, or of the midnights of absences; None where it has none.
        time: Line of the times of day, or of those after absences; None where ticks are days or all distances
            are exact.
    """

    unit: Unit
    distance: Line
    day: Line | None = None
    time: Line | None = None

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines in the order of the chain."""
        return tuple(line for line in (self.distance, self.day, self.time) if line is not None)

    @property
    def sub_columns(self) -> tuple[SubColumn, ...]:
        """Tokens of all lines."""
        return tuple(token for line in self.lines for token in chain(line))

    @property
    def empty(self) -> bool:
        """Whether value protection left no value."""
        return self.distance.empty

    @property
    def missing(self) -> bool:
        """Whether missing values are generated."""
        return self.distance.missing

    @property
    def parts_absences(self) -> bool:
        """Whether absences have days and times of day instead of an exact distance."""
        return self.unit == "tick" and self.time is not None

    def encode(
        self, place: Place, valid_R: Flags, *, applies_R: Flags, absent_R: Flags | None = None
    ) -> IntArray:
        """Turn places, counted from the origin, into codes; ``absent_R`` marks those that are absences."""
        parts = [place.period_R, place.day_R, place.time_R]
        lines = [self.distance, self.day, self.time]
        apply = [applies_R] * 3
        if absent_R is not None:
            apply = [applies_R & ~absent_R, applies_R & absent_R, applies_R & absent_R]
        codes = [
            encode_line(line, part_R, valid_R, applies_R=here_R)
            for line, part_R, here_R in zip(lines, parts, apply, strict=True)
            if line is not None
        ]
        return np.concatenate(codes, axis=1)

    def decode(self, codes_RC: IntArray, uniform_RD: NDArray[Any]) -> Place:
        """Turn codes into places, counted from the origin; uniforms are of shape (R, 3)."""
        parts, done = [], 0
        for number, line in enumerate((self.distance, self.day, self.time)):
            width = 0 if line is None else len(line.sub_columns)
            codes = codes_RC[:, done : done + width]
            parts.append(_decode_line(line, codes, uniform_RD[:, number]))
            done += width
        return Place(*parts)

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        lines = {"distance": self.distance, "day": self.day, "time": self.time}
        return {"unit": self.unit, **{name: line and line.to_json() for name, line in lines.items()}}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Step:
        """Make a step of ``to_json``'s document."""
        lines = {name: document[name] for name in ("distance", "day", "time")}
        return cls(document["unit"], **{name: line and Line.from_json(line) for name, line in lines.items()})


def chain(line: Line) -> tuple[SubColumn, ...]:
    """Give a line's tokens, with the code of other values free to mean "not applicable"."""
    first, *rest = line.sub_columns
    forbidden_K = np.zeros(first.cardinality, dtype=bool)
    forbidden_K[MISSING] = not line.missing
    return (replace(first, forbidden_K=forbidden_K), *rest)


def encode_line(line: Line, tick_R: Rows, valid_R: Flags, *, applies_R: Flags) -> IntArray:
    """Turn ticks into codes; rows that the line does not apply to say so."""
    codes_RC = line.encode(tick_R, valid_R)
    codes_RC[valid_R & ~applies_R] = 0
    codes_RC[valid_R & ~applies_R, 0] = NOT_APPLICABLE
    return codes_RC


def _decode_line(line: Line | None, codes_RC: IntArray, uniform_R: Uniforms) -> Rows:
    """Draw ticks; a code without a value stands for any value."""
    if line is None or line.empty:
        return np.zeros(len(codes_RC), dtype=np.int64)
    known_RC = codes_RC.copy()
    known_RC[:, 0] = np.where(known_RC[:, 0] < FIRST, NOT_APPLICABLE, known_RC[:, 0])
    return line.decode(known_RC, uniform_R)[0]
