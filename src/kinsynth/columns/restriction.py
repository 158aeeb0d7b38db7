"""Restriction: a fitted codec that generates less: no missing values, or not some of its values.

The codes stay the same, so a network that was trained with the codec goes on with the restricted one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kinsynth.columns.base import Rows
from kinsynth.columns.categorical import CategoricalCodec
from kinsynth.columns.coordinate import CoordinateCodec
from kinsynth.columns.datetime import DatetimeCodec
from kinsynth.columns.echo import EchoCodec
from kinsynth.columns.identifier import IdentifierCodec
from kinsynth.columns.lattice import count_members, shared_mass
from kinsynth.columns.line import FIRST, MISSING, Line
from kinsynth.columns.numeric import OrderedCodec
from kinsynth.columns.reference import ReferenceCodec
from kinsynth.columns.relative import RelativeCodec
from kinsynth.columns.scale import as_micros
from kinsynth.columns.sequence import SequenceCodec
from kinsynth.columns.step import Step
from kinsynth.columns.storage import read_values, write_values
from kinsynth.errors import SettingsError


def without_missing(codec: Any) -> Any:
    """Give a codec that generates no missing value.

    Raises:
        SettingsError: ``treatment.nothing_left``, the codec has nothing but missing values.
    """
    if is_empty(codec):
        raise _nothing_left()
    match codec:
        case CategoricalCodec() | CoordinateCodec() | IdentifierCodec():
            return replace(codec, missing=False)
        case OrderedCodec():
            return replace(codec, line=replace(codec.line, missing=False))
        case DatetimeCodec():
            return replace(codec, day=without_missing(codec.day))
        case RelativeCodec():
            return replace(codec, distance=without_missing(codec.distance))
        case EchoCodec():
            return replace(codec, inner=without_missing(codec.inner), missing=False)
        case SequenceCodec():
            start, gap = _without_missing(codec.start), _without_missing(codec.gap)
            return replace(codec, start=start, reached=replace(codec.reached, missing=False), gap=gap)
    raise ValueError(f"{type(codec).__name__} has no missing values")


def is_empty(codec: Any) -> bool:
    """Tell whether a codec has nothing but missing values; one that repeats cells, of its own."""
    codec = codec.inner if isinstance(codec, EchoCodec) else codec
    match codec:
        case CategoricalCodec():
            return not codec.texts and codec.invention is None
        case OrderedCodec():
            return codec.line.empty
        case DatetimeCodec():
            return codec.day.line.empty
        case RelativeCodec():
            return codec.distance.line.empty
        case CoordinateCodec() | SequenceCodec():
            return codec.empty
    return False


def _without_missing(step: Step) -> Step:
    lines = {name: getattr(step, name) for name in ("distance", "day", "time")}
    return replace(step, **{name: line and replace(line, missing=False) for name, line in lines.items()})


def without_values(codec: Any, values: pa.Array) -> Any:
    """Give a codec that generates none of some values.

    Args:
        codec: Codec of one column.
        values: Values in the column's storage type.

    Raises:
        SettingsError: ``treatment.nothing_left``, no other value is left; ``condition.never_type``, the type
            makes new values or pairs.
    """
    match codec:
        case CategoricalCodec():
            return _without_categories(codec, values)
        case OrderedCodec():
            ticks = codec.scale.to_ticks(values)[0]
            line = cut_ticks(codec.line, ticks)
            if not line.mass_L.any() and not line.missing:
                raise _nothing_left()
            return replace(codec, line=line)
        case DatetimeCodec():
            return replace(codec, never_us=(*codec.never_us, *as_micros(values)[0].tolist()))
        case SequenceCodec():
            return replace(codec, refused=(*codec.refused, *codec.scale.to_ticks(values)[0].tolist()))
        case RelativeCodec():
            return replace(codec, refused=(*codec.refused, *codec.measure.to_ticks(values)[0].tolist()))
        case EchoCodec():
            return _without_echoes(codec, values)
    raise SettingsError(
        "condition.never_type",
        "Values can be kept out of categories, numbers, dates and times only.",
        remedy="Leave the column out of the list.",
    )


def _without_categories(codec: CategoricalCodec, values: pa.Array) -> CategoricalCodec:
    if isinstance(codec, ReferenceCodec):
        codec = codec.without_pooled(values.to_numpy(zero_copy_only=False))
        values = pa.concat_arrays([values, pa.array(codec.empty_pools)])
    found = pc.index_in(values, value_set=codec.kept).drop_null().to_pylist()
    refused = tuple(sorted({*codec.refused, *found}))
    unmade = (
        codec.unmade if codec.invention is None else tuple(sorted({*codec.unmade, *write_values(values)}))
    )
    left = replace(codec, refused=refused, unmade=unmade)
    if codec.other == "label":
        label = read_values([codec.label], codec.storage)
        left = replace(
            left, other_drawn=codec.other_drawn and not pc.is_in(label, value_set=values)[0].as_py()
        )
    elif codec.other_drawn:
        left = replace(left, other_drawn=left.makes_texts)
    if len(refused) == len(codec.texts) and not codec.missing and not left.other_drawn:
        raise _nothing_left()
    return left


def _without_echoes(codec: EchoCodec, values: pa.Array) -> EchoCodec:
    """Repeat no cell that holds one of the values: the inner codec gives another one, or a missing one."""
    if is_empty(codec.inner) and not codec.missing:
        raise _nothing_left()
    inner = codec.inner if is_empty(codec.inner) else without_values(codec.inner, values)
    return replace(codec, inner=inner, refused=(*codec.refused, *write_values(values)))


def cut_ticks(line: Line, ticks: Rows) -> Line:
    """Cut ticks out of the leaves of a line.

    A state that loses all its leaves keeps one without rows: its code is never drawn.
    """
    for tick in np.unique(ticks).tolist():
        line = _cut_tick(line, tick)
    return line


def _cut_tick(line: Line, tick: int) -> Line:
    hit_L = (line.low_L <= tick) & (tick <= line.high_L) & (line.mass_L > 0)
    if not hit_L.any():
        return line
    hit = np.flatnonzero(hit_L)
    whole = _members(line, hit, line.low_L[hit], line.high_L[hit])
    ends = [(line.low_L[hit], np.full(len(hit), tick - 1)), (np.full(len(hit), tick + 1), line.high_L[hit])]
    parts = [(np.flatnonzero(~hit_L), line.low_L[~hit_L], line.high_L[~hit_L], line.mass_L[~hit_L])]
    members_PL = np.array([_members(line, hit, low, high) for low, high in ends])
    mass_PL = shared_mass(line.mass_L[hit], members_PL, whole)
    for (low, high), members, mass in zip(ends, members_PL, mass_PL, strict=True):
        left = members > 0
        parts.append((hit[left], low[left], high[left], mass[left]))
    lost = np.setdiff1d(line.state_L, line.state_L[np.concatenate([part[0] for part in parts])])
    bare = np.searchsorted(line.state_L, lost)
    parts.append((bare, line.low_L[bare], line.high_L[bare], np.zeros_like(bare)))
    leaf, low, high, mass = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order = np.lexsort((low, line.class_L[leaf], line.place_L[leaf], line.state_L[leaf]))
    leaf = leaf[order]
    return replace(
        line,
        state_L=line.state_L[leaf],
        place_L=line.place_L[leaf],
        class_L=line.class_L[leaf],
        low_L=low[order],
        high_L=high[order],
        mass_L=mass[order],
    )


def _members(line: Line, leaf: Rows, low: Rows, high: Rows) -> Rows:
    """Count the ticks of leaves between narrower bounds; a leaf of one tick holds it whatever its class."""
    moduli, remainders = np.array(line.classes, dtype=np.int64).T
    kind = line.class_L[leaf]
    counted = count_members(low, high, moduli[kind], remainders[kind])
    single = line.low_L[leaf] == line.high_L[leaf]
    members: Rows = np.where(low > high, 0, np.where(single, 1, counted))
    return members


def own_code(codec: Any, values: pa.Array) -> int | None:
    """Give the first code of a value where that code stands for this value alone, else None.

    Args:
        codec: Codec of one column.
        values: One value in the column's storage type; missing for missing.
    """
    if isinstance(codec, EchoCodec):
        return None  # it may also be repeated
    if values.null_count and not isinstance(codec, SequenceCodec):
        return MISSING if _is_drawn(codec, MISSING) else None
    if not isinstance(codec, CategoricalCodec | OrderedCodec):
        return None
    code = int(codec.encode((values,))[0, 0])
    if code < FIRST or not _is_drawn(codec, code):
        return None
    if isinstance(codec, CategoricalCodec):
        return code if codec.stands_alone(code) else None
    held_L = codec.line.state_L == code - FIRST
    tick = codec.scale.to_ticks(values)[0][0]
    alone = (codec.line.low_L[held_L] == tick).all() and (codec.line.high_L[held_L] == tick).all()
    return code if alone else None


def _is_drawn(codec: Any, code: int) -> bool:
    """Tell whether the first token of a codec may be drawn as a code."""
    if not codec.sub_columns:
        return False
    forbidden_K = codec.sub_columns[0].forbidden_K
    return forbidden_K is None or not forbidden_K[code]


def _nothing_left() -> SettingsError:
    return SettingsError(
        "treatment.nothing_left",
        "Nothing is left that could be generated; expected at least one value.",
        remedy="Remove a value from the list, or allow missing values.",
    )
