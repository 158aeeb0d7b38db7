"""References: rows that few roots reference stand in pools, the others have codes of their own."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.columns.reference import POOLED, ReferenceCodec, build_reference
from kinsynth.columns.registry import codec_from_json, column_type
from kinsynth.columns.restriction import own_code, without_values
from kinsynth.errors import SettingsError
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column


def build(rows: list[int | None], lookup_rows: int = 0) -> ReferenceCodec:
    """Build a codec of references of which each row has a root of its own; back from JSON."""
    part = column_type("reference").fit((pa.array(rows, pa.int64()),), None)
    codec = build_reference(part, Column(), Protection(), lookup_rows=lookup_rows)
    again = codec_from_json(json.loads(json.dumps(codec.to_json())))
    assert again == codec
    return again


def decoded(codec: ReferenceCodec, codes_RC: np.ndarray) -> list[int | None]:
    return codec.decode(codes_RC, np.full((len(codes_RC), 1), 0.5))[0].to_pylist()


def asked(*rows: int | None) -> tuple[pa.Array]:
    return (pa.array(rows, pa.int64()),)


@pytest.mark.parametrize("many", [0, 1_500])
def test_what_goes_with_references_of_a_few_roots_is_not_told_though_they_are_drawn(many):
    codec = build([*[0] * 60, *[1] * 4, *[None] * 9, *range(2, 2 + many)])
    told = codec.is_told(codec.encode(asked(0, 1, None, 10**6)))
    assert told.tolist() == [True, many > 0, True, False], "1,504 roots together reference those of the pool"
    assert own_code(codec, asked(0)[0]) is not None
    assert own_code(codec, asked(1)[0]) is None


def test_which_lookup_rows_a_few_roots_reference_is_not_told():
    """Rows 0 and 1 are referenced by many, 2 and 3 by few, 4 to 9 by none: 2 to 9 share a code."""
    codec = build([0] * 400 + [1] * 300 + [2] * 4 + [3] * 3, lookup_rows=10)
    (pool,) = codec.pools
    assert pool.rows == (2, 3, 4, 5, 6, 7, 8, 9)
    codes_RC = codec.encode(asked(2, 3, 9, 0, 1))
    assert len({*codes_RC[:3, 0].tolist()}) == 1
    assert decoded(codec, codes_RC) == [POOLED, POOLED, POOLED, 0, 1]
    (token,) = codec.sub_columns
    assert token.forbidden_K.tolist() == [True, True, False, False, False]
    assert codec.several.nonzero()[0].tolist() == codes_RC[:1, 0].tolist()


def test_a_lookup_whose_rows_many_reference_has_no_pool():
    codec = build([0] * 50 + [1] * 50, lookup_rows=10)
    assert (codec.texts, codec.pools, codec.several.any()) == (("0", "1"), (), False)


def test_few_rows_that_few_roots_reference_in_all_are_never_drawn():
    """Row 3 is referenced by one root, all others by many: a pool of it alone would tell of that one."""
    codec = build([*[0, 1, 2] * 60, 3, None], lookup_rows=4)
    assert (codec.texts, codec.pools, codec.rows) == (("0", "1", "2"), (), (60, 60, 60))
    codes_RC = codec.encode(asked(3))
    assert codec.sub_columns[0].forbidden_K[codes_RC[0, 0]]
    assert not codec.is_told(codes_RC)[0]
    assert decoded(codec, codes_RC) == [1]


def test_references_none_of_which_many_share_are_all_pooled():
    codec = build([*range(4)] * 4, lookup_rows=5)
    assert ([len(pool.rows) for pool in codec.pools], codec.missing) == ([5], False)
    assert decoded(codec, codec.encode(asked(0, 4))) == [POOLED, POOLED]


def test_a_pool_is_split_and_its_parts_keep_all_rows():
    codec = build([0] * 60 + [*range(1, 9)] * 2, lookup_rows=12)
    pool_N = np.array(codec.pools[0].rows) % 2
    split = codec.split(pool_N, np.array([8, 8]))
    assert [pool.rows for pool in split.pools] == [(2, 4, 6, 8, 10), (1, 3, 5, 7, 9, 11)]
    assert decoded(split, split.encode(asked(0, 1, 2, 11))) == [0, POOLED - 1, POOLED, POOLED - 1]
    assert codec_from_json(json.loads(json.dumps(split.to_json()))) == split


def test_rows_that_are_not_wanted_leave_the_pools():
    codec = build([0] * 60 + [*range(1, 9)] * 2, lookup_rows=9)
    less = without_values(codec, asked(1, 5)[0])
    assert less.pools[0].rows == (2, 3, 4, 6, 7, 8)
    none = without_values(less, asked(2, 3, 4, 6, 7, 8)[0])
    assert none.sub_columns[0].forbidden_K.tolist() == [True, True, True, False]
    with pytest.raises(SettingsError):
        without_values(none, asked(0)[0])
