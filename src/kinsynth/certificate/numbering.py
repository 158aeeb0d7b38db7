"""Numbers in place of keys: equal keys get equal numbers, so that keys of any type are compared as integers.

A key with a missing part counts as missing as a whole, as in SQL (MATCH SIMPLE; nulls apart in unique keys).
Numbers are equal when their values are, whatever their types. Texts are equal when all their characters are.
Memory: a few arrays of 8 bytes a row, and for texts their distinct values.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Keys = Sequence[pa.ChunkedArray]
Numbers = NDArray[np.int64]

MISSING = -1
UNKNOWN = -2
_MOST = 1 << 62
_WIDE = pa.decimal256(76, 38)


def number_keys(keys: Keys) -> Numbers:
    """Number the keys of a table.

    Args:
        keys: The key's columns, one or more, each with a value for every row.

    Returns:
        A number (0 or more) for every row, equal where the keys are; ``MISSING`` where a part is missing.
    """
    numbers_R, size = _number_column(keys[0])
    for column in keys[1:]:
        part_R, span = _number_column(column)
        if size > _MOST // span:
            known, numbers_R = np.unique(numbers_R, return_inverse=True)
            numbers_R = numbers_R - int(len(known) > 0 and known[0] == MISSING)
            size = len(known) + 1
        missing_R = (numbers_R == MISSING) | (part_R == MISSING)
        numbers_R = numbers_R * span + part_R
        numbers_R[missing_R] = MISSING
        size *= span
    return numbers_R


def number_pairs(keys: Keys, among: Keys) -> tuple[Numbers, Numbers]:
    """Number the keys of two tables alike.

    Args:
        keys: The columns of the first table.
        among: As many of the second one, in the same order.

    Returns:
        Numbers of both, as ``number_keys`` gives them. A key that the second table cannot
        have, because one of its values is not there, is ``UNKNOWN``.
    """
    left_R, right_R, size = np.zeros(len(keys[0]), np.int64), np.zeros(len(among[0]), np.int64), 1
    for column, other in zip(keys, among, strict=True):
        part_R, other_R, span = _number_two(column, other)
        if size > _MOST // span:
            left_R, right_R, size = _renumber(left_R, right_R)
        left_R, right_R = _append(left_R, part_R, span), _append(right_R, other_R, span)
        size *= span
    return left_R, right_R


def find_rows(numbers_R: Numbers, among_P: Numbers) -> Numbers:
    """Give for every number the first row that has it among others; -1 where none has or it is no key."""
    if not len(among_P):
        return np.full(len(numbers_R), -1, np.int64)
    order_P = np.argsort(among_P, kind="stable")
    sorted_P = among_P[order_P]
    place_R = np.searchsorted(sorted_P, numbers_R)
    place_R[place_R == len(sorted_P)] = 0
    found_R = (sorted_P[place_R] == numbers_R) & (numbers_R >= 0)
    return np.where(found_R, order_P[place_R], -1)


def count_repeats(numbers_R: Numbers) -> int:
    """Count the rows whose key stands in an earlier row; missing keys repeat nothing."""
    sorted_R = np.sort(numbers_R[numbers_R >= 0])
    return int((sorted_R[1:] == sorted_R[:-1]).sum())


def _append(numbers_R: Numbers, part_R: Numbers, span: int) -> Numbers:
    """Put a column's numbers behind those of the columns before; what is missing or unknown stays so."""
    joined_R = numbers_R * span + part_R
    joined_R[(numbers_R == UNKNOWN) | (part_R == UNKNOWN)] = UNKNOWN
    joined_R[(numbers_R == MISSING) | (part_R == MISSING)] = MISSING
    return joined_R


def _renumber(left_R: Numbers, right_R: Numbers) -> tuple[Numbers, Numbers, int]:
    """Make numbers dense where their product would leave 64 bits."""
    known_K = np.unique(right_R[right_R >= 0])
    if not len(known_K):
        return np.where(left_R >= 0, UNKNOWN, left_R), right_R, 1
    sides = []
    for numbers_R in (left_R, right_R):
        place_R = np.minimum(np.searchsorted(known_K, numbers_R), len(known_K) - 1)
        place_R[known_K[place_R] != numbers_R] = UNKNOWN
        place_R[numbers_R == MISSING] = MISSING
        sides.append(place_R)
    return sides[0], sides[1], len(known_K)


def _number_column(values: pa.ChunkedArray) -> tuple[Numbers, int]:
    """Number the values of one column; numbers are below the span, which is 1 at least."""
    whole_R = _whole(values)
    if whole_R is not None:
        missing_R = _missing(values)
        return _number_whole(whole_R, missing_R, whole_R[~missing_R])
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return _rank_texts(values)
    encoded = _one_array(values).dictionary_encode()
    return _integers(encoded.indices), max(len(encoded.dictionary), 1)


def _rank_texts(values: pa.ChunkedArray) -> tuple[Numbers, int]:
    """Number texts by their rank: sorting takes less than half the memory of a table of all of them."""
    texts = _one_array(values.cast(pa.large_string()))
    order = pc.array_sort_indices(texts)
    texts = texts.take(order)
    new_R = pc.fill_null(pc.not_equal(texts[1:], texts[:-1]), False).to_numpy(zero_copy_only=False)
    del texts
    numbers_R = np.zeros(len(values), np.int64)
    numbers_R[order.to_numpy()[1:]] = np.cumsum(new_R, dtype=np.int64)
    span = int(numbers_R.max(initial=0)) + 1
    numbers_R[_missing(values)] = MISSING
    return numbers_R, span


def _one_array(values: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)


def _number_two(values: pa.ChunkedArray, among: pa.ChunkedArray) -> tuple[Numbers, Numbers, int]:
    """Number the values of two columns alike, those of the first by the distinct ones of the second."""
    shared = _share_type(values, among)
    if shared is None:
        other_R, span = _number_column(among)
        return np.where(_missing(values), MISSING, UNKNOWN).astype(np.int64), other_R, span
    values, among = shared
    whole_R, among_R = _whole(values), _whole(among)
    if whole_R is not None and among_R is not None:
        missing_P = _missing(among)
        present_P = among_R[~missing_P]
        left_R, _ = _number_whole(whole_R, _missing(values), present_P)
        return left_R, *_number_whole(among_R, missing_P, present_P)
    known = pc.unique(among).drop_null()
    sides = []
    for column in (values, among):
        found = pc.fill_null(pc.index_in(column, value_set=known), UNKNOWN)
        numbers_R = found.to_numpy().astype(np.int64)
        numbers_R[_missing(column)] = MISSING
        sides.append(numbers_R)
    return sides[0], sides[1], max(len(known), 1)


def _number_whole(whole_R: Numbers, missing_R: NDArray[np.bool_], among_P: Numbers) -> tuple[Numbers, int]:
    """Number whole values: by their distance to the least one among others, by rank where that is too far."""
    low, high = (int(among_P.min()), int(among_P.max())) if len(among_P) else (0, 0)
    if high - low < _MOST:
        numbers_R = whole_R - low
        numbers_R[(whole_R < low) | (whole_R > high)] = UNKNOWN
        span = high - low + 1
    else:
        known_K = np.unique(among_P)
        numbers_R = np.minimum(np.searchsorted(known_K, whole_R), len(known_K) - 1)
        numbers_R[known_K[numbers_R] != whole_R] = UNKNOWN
        span = len(known_K)
    numbers_R[missing_R] = MISSING
    return numbers_R, span


def _missing(values: pa.ChunkedArray) -> NDArray[np.bool_]:
    missing_R: NDArray[np.bool_] = values.is_null().to_numpy()
    return missing_R


def _whole(values: pa.ChunkedArray) -> Numbers | None:
    """Give the integers behind whole numbers, dates and booleans, 0 where missing; None for other values."""
    kind, is_ = values.type, pa.types
    kinds = (is_.is_integer, is_.is_temporal, is_.is_boolean, is_.is_null)
    if is_.is_uint64(kind) or not any(is_kind(kind) for is_kind in kinds):
        return None
    if is_.is_date32(kind) or is_.is_time32(kind):
        values = values.cast(pa.int32())
    return _integers(values)


def _integers(values: pa.Array | pa.ChunkedArray) -> Numbers:
    plain = pc.fill_null(values.cast(pa.int64()), MISSING)
    return np.array(plain, np.int64)


def _share_type(
    left: pa.ChunkedArray, right: pa.ChunkedArray
) -> tuple[pa.ChunkedArray, pa.ChunkedArray] | None:
    """Give two columns one type in which equal values are equal; None where they cannot be."""
    if left.type == right.type:
        return left, right
    for kind in _shared_types(left.type, right.type):
        try:
            return left.cast(kind), right.cast(kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            continue
    return None


def _shared_types(left: pa.DataType, right: pa.DataType) -> tuple[pa.DataType, ...]:
    """Name the types to try for both; a cast that would lose something is not made."""
    is_ = pa.types
    if all(is_.is_integer(kind) or is_.is_decimal(kind) for kind in (left, right)):
        return pa.int64(), _WIDE
    if all(is_.is_integer(kind) or is_.is_floating(kind) or is_.is_decimal(kind) for kind in (left, right)):
        return pa.int64(), pa.float64()
    if all(is_.is_timestamp(kind) or is_.is_date(kind) for kind in (left, right)):
        return tuple(pa.timestamp(unit) for unit in ("s", "ms", "us", "ns"))
    if all(is_.is_time(kind) for kind in (left, right)):
        return pa.time64("us"), pa.time64("ns")
    if all(is_.is_string(kind) or is_.is_large_string(kind) for kind in (left, right)):
        return (pa.large_string(),)
    return ()
