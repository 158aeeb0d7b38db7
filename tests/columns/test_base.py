"""Counts of values: any cut of the rows, and roots of their own, give the same."""

from __future__ import annotations

import decimal

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.columns import base
from kinsynth.columns.base import count_part, merge_parts
from kinsynth.privacy.protection import OwnRoots

RNG = np.random.default_rng(3)
WHOLE = RNG.integers(0, 40, 500)
KINDS = {
    "int64": pa.array(WHOLE),
    "uint8": pa.array(WHOLE.astype(np.uint8)),
    "double": pa.array(WHOLE / 10),
    "float": pa.array((WHOLE / 10).astype(np.float32)),
    "date": pa.array(WHOLE.astype(np.int32)).cast(pa.date32()),
    "zoned": pa.array(WHOLE).cast(pa.timestamp("ms", tz="UTC")),
    "time": pa.array(WHOLE.astype(np.int32)).cast(pa.time32("s")),
    "bool": pa.array(WHOLE > 20),
    "string": pa.array([f"v{one}" for one in WHOLE]),
    "decimal": pa.array([decimal.Decimal(int(one)).scaleb(-2) for one in WHOLE], pa.decimal128(9, 2)),
    "none": pa.array([], pa.float64()),
    "missing": pa.nulls(9, pa.int64()),
}


def with_missing(values):
    return pa.array([None if at % 7 == 0 else one for at, one in enumerate(values.to_pylist())], values.type)


@pytest.mark.parametrize("values", KINDS.values(), ids=KINDS)
def test_own_roots_count_what_numbered_roots_count(values):
    values = with_missing(values)
    own = count_part((values,), None)
    listed = count_part((values,), np.arange(len(values), dtype=np.int64))
    expected = {}
    for one in values.to_pylist():
        expected[one] = expected.get(one, 0) + 1
    assert dict(zip(own.values[0].to_pylist(), own.rows.tolist(), strict=True)) == expected
    assert isinstance(own.roots, OwnRoots)
    assert own.by_root().values[0].equals(listed.values[0])
    assert own.by_root().rows.tolist() == listed.rows.tolist()


@pytest.mark.parametrize("values", KINDS.values(), ids=KINDS)
def test_any_cut_of_the_rows_counts_the_same(values, monkeypatch):
    values = with_missing(values)
    roots = np.arange(len(values), dtype=np.int64) // 3
    whole = count_part((values,), roots), count_part((values,), None)
    monkeypatch.setattr(base, "_STRETCH", 37)
    assert count_part((values,), roots).pairs.equals(whole[0].pairs)
    assert count_part((values,), None).pairs.equals(whole[1].pairs)
    halves = [count_part((values[cut],), None) for cut in (slice(0, 99), slice(99, None))]
    assert merge_parts(halves).pairs.equals(whole[1].pairs)
