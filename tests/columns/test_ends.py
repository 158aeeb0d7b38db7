"""The smallest and largest value that a codec may give."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.columns.ends import protected_ends
from kinsynth.columns.registry import column_type
from kinsynth.columns.sequence_fit import build_sequence
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

ROOTS = np.arange(100)
NUMBERS = np.append(np.arange(98), [-1_000_000, 1_000_000])
COLUMNS = {
    "integer": pa.array(NUMBERS),
    "numeric": pa.array(NUMBERS / 4),
    "date": pa.array(NUMBERS // 100 * 10 + NUMBERS % 100, pa.int32()).cast(pa.date32()),
    "datetime": pa.array(NUMBERS * 3_600_000_000, pa.timestamp("us")),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_few_far_values_lie_beyond_the_ends_and_all_drawn_ones_within(kind):
    values, type_ = COLUMNS[kind], column_type(kind)
    codec = type_.build(type_.fit((values,), ROOTS), Column(), Protection())
    low, high = protected_ends(codec).to_pylist()
    kept = [one for one in values.to_pylist() if low <= one <= high]
    assert 85 <= len(kept) <= 98
    drawn = codec.decode(codec.encode((values,)), np.random.default_rng(0).random((100, codec.draws)))[0]
    assert all(low <= one <= high for one in drawn.to_pylist())


def test_a_sequence_ends_where_protection_cuts_it():
    values = pa.array(np.sort(NUMBERS), pa.timestamp("s"))
    codec = build_sequence(values, ROOTS // 2, ROOTS, Column(), Protection())
    low, high = (int(one.timestamp()) for one in protected_ends(codec).to_pylist())
    assert -1_000_000 < low < high < 1_000_000


def test_few_roots_leave_no_ends():
    type_ = column_type("integer")
    codec = type_.build(type_.fit((pa.array([1, 2, 3]),), np.arange(3)), Column(), Protection())
    assert protected_ends(codec) is None


def test_categories_have_no_ends():
    type_ = column_type("categorical")
    codec = type_.build(type_.fit((pa.array(["a"] * 9),), np.arange(9)), Column(), Protection())
    with pytest.raises(ValueError, match="no ordered column"):
        protected_ends(codec)
