"""Ends: the smallest and the largest value that a codec of an ordered column may give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from kinsynth.columns.datetime import DatetimeCodec
from kinsynth.columns.line import Line
from kinsynth.columns.numeric import OrderedCodec
from kinsynth.columns.relative import RelativeCodec
from kinsynth.columns.scale import DAY_US, MomentScale
from kinsynth.columns.sequence import SequenceCodec


def protected_ends(codec: Any) -> pa.Array | None:
    """Give the smallest and the largest value, shape (2,); None where a codec gives none.

    Guarantees:
        Beyond each stand fewer than ``extreme_minimum`` roots, and at it or beyond at least as many, as far
        as the codec was fitted so; a bound that its settings name is one.

    Raises:
        ValueError: The codec is of no ordered column.
    """
    match codec:
        case OrderedCodec():
            return None if codec.line.empty else _values(codec.scale, *_ticks(codec.line))
        case DatetimeCodec():
            if codec.day.line.empty:
                return None
            days = codec.day_scale.to_days(np.array(_ticks(codec.day.line)))
            return _values(MomentScale(codec.storage), int(days[0]) * DAY_US, (int(days[1]) + 1) * DAY_US - 1)
        case SequenceCodec():
            return None if codec.empty else _values(codec.scale, codec.low, codec.high)
        case RelativeCodec():
            return _values(codec.measure, codec.low, codec.high)
    raise ValueError(f"{type(codec).__name__}: no ordered column")


def _ticks(line: Line) -> tuple[int, int]:
    return int(line.low_L.min()), int(line.high_L.max())


def _values(measure: Any, low: int, high: int) -> pa.Array:
    values: pa.Array = measure.to_values(np.array([low, high], dtype=np.int64), np.ones(2, dtype=np.bool_))
    return values
