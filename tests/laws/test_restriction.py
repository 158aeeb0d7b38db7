"""Every column type generates less when it is asked to, with the same codes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.columns.restriction import own_code, without_missing, without_values
from kinsynth.errors import SettingsError
from laws.test_column_types import CASES, PAIRS, fitted, sample

NEVER = [pair for pair in PAIRS if pair.values[0] not in ("identifier", "coordinates", "reference")]


def drawable(codec, rows=6_000, seed=5):
    """Codes as a model might draw them: any that are not forbidden."""
    rng = np.random.default_rng(seed)
    columns = []
    for sub in codec.sub_columns:
        allowed = np.ones(sub.cardinality, bool) if sub.forbidden_K is None else ~sub.forbidden_K
        columns.append(rng.choice(np.flatnonzero(allowed), rows))
    return np.stack(columns, axis=1).astype(np.int32) if columns else np.zeros((rows, 0), np.int32)


def decoded(codec, seed=3):
    codes = drawable(codec)
    uniforms = np.random.default_rng(seed).random((len(codes), max(codec.draws, 1)))
    if codec.kind == "identifier":
        return codec.decode_at(codes, np.arange(len(codes)))
    return codec.decode(codes, uniforms)


@pytest.mark.parametrize(("name", "make"), PAIRS)
def test_without_missing_none_is_missing(name, make):
    codec = fitted(name, sample(make))
    less = without_missing(codec)
    assert [sub.cardinality for sub in less.sub_columns] == [sub.cardinality for sub in codec.sub_columns]
    assert all(array.null_count == 0 for array in decoded(less))
    assert any(array.null_count for array in decoded(codec)), "the law would hold without the restriction"


@pytest.mark.parametrize(("name", "make"), NEVER)
def test_without_values_none_of_them_appears(name, make):
    values = sample(make)
    codec = fitted(name, values)
    drawn = decoded(codec)[0].drop_null()
    found = sorted(set(drawn.to_pylist()))
    named = pa.array(found[: min(3, len(found) - 1)], drawn.type)
    less = without_values(codec, named)
    assert [sub.cardinality for sub in less.sub_columns] == [sub.cardinality for sub in codec.sub_columns]
    after = decoded(less)[0]
    assert not set(after.drop_null().to_pylist()) & set(named.to_pylist())
    assert set(after.drop_null().to_pylist())


@pytest.mark.parametrize(("name", "make"), NEVER)
def test_values_nobody_draws_change_nothing(name, make):
    values = sample(make)
    codec = fitted(name, values)
    assert decoded(without_values(codec, pa.array([], values[0].type)))[0].equals(decoded(codec)[0])


def test_the_last_value_cannot_be_kept_out():
    values = (pa.array([True, False] * 500),)
    codec = without_missing(fitted("boolean", values))
    with pytest.raises(SettingsError, match=r"treatment\.nothing_left"):
        without_values(codec, pa.array([True, False]))
    with pytest.raises(SettingsError, match=r"treatment\.nothing_left"):
        without_missing(fitted("numeric", (pa.nulls(100, pa.float64()),)))


def test_types_without_single_values_are_refused():
    codec = fitted("coordinates", sample(CASES["coordinates"][0]))
    with pytest.raises(SettingsError, match=r"condition\.never_type"):
        without_values(codec, pa.array([1.0]))


def test_a_code_is_a_values_own_only_where_it_stands_for_it_alone():
    rng = np.random.default_rng(0)
    numbers = pa.array(np.where(rng.random(4000) < 0.5, 0, rng.integers(1, 100_000, 4000)))
    codec = fitted("integer", (numbers,))
    assert own_code(codec, pa.array([0])) is not None
    assert own_code(codec, pa.array([51_234])) is None
    words = fitted("categorical", (pa.array(["a", "b", None, "c"] * 200 + ["rare"]),))
    assert own_code(words, pa.array(["b"])) is not None
    assert own_code(words, pa.array([None], pa.string())) == 0
    assert own_code(words, pa.array(["rare"])) is None
