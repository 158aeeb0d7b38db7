"""Values of any storage type as one plain array, and as JSON texts and back, exactly."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from kinsynth.schema.storage import storage_type


def as_array(values: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Give one array of plain values: chunks joined, dictionaries resolved, NaN as missing."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.ChunkedArray):
        values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)
    if pa.types.is_dictionary(values.type):
        return values.dictionary_decode()
    if pa.types.is_floating(values.type):
        return pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    return values


def write_values(values: pa.Array) -> list[str]:
    """Give the text of each value; ``read_values`` makes the same values of them."""
    texts: list[str] = pc.cast(values, pa.string()).to_pylist()
    return texts


def read_values(texts: list[str], spelling: str) -> pa.Array:
    """Make values of their texts; the inverse of ``write_values``."""
    kind = storage_type(spelling)
    if pa.types.is_time(kind):  # Arrow reads times as part of a day only
        moments = pa.array([f"1970-01-01 {text}" for text in texts], pa.string())
        return pc.cast(pc.cast(moments, pa.timestamp(kind.unit)), kind)
    return pc.cast(pa.array(texts, pa.string()), kind)
