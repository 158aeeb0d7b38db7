"""Columns that repeat cells: as there, or a value of their own; what may be repeated in which type."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from kinsynth.columns.base import count_part
from kinsynth.columns.echo import EchoCodec, are_equal, as_type, build_echo, can_echo, number_equals
from kinsynth.columns.registry import codec_from_json, column_type
from kinsynth.columns.restriction import own_code, without_missing, without_values
from kinsynth.errors import SettingsError
from kinsynth.privacy.protection import OwnRoots
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

ROWS = 1_000


def plain(values: pa.Array) -> object:
    kind = column_type("categorical")
    return kind.build(count_part((values,), np.arange(len(values))), Column(), Protection())


def made(own_rows: int = 100, missing: bool = False) -> tuple[EchoCodec, pa.Array, pa.Array]:
    """Towns of customers, each of one, which orders repeat but for those that go to one of three."""
    there = pa.array([None if missing and row % 10 == 5 else f"town {row}" for row in range(ROWS)])
    own = [f"port {row % 3}" for row in range(own_rows)]
    values = pa.concat_arrays([pa.array(own, pa.string()), there.slice(own_rows)])
    roots = OwnRoots(np.ones(ROWS, dtype=np.int64))
    return build_echo(plain(values), values, there, roots, minimum=5), values, there


def uniforms(codec: EchoCodec) -> np.ndarray:
    return np.random.default_rng(0).random((ROWS, codec.draws))


@pytest.mark.parametrize("missing", [False, True])
def test_what_is_repeated_is_what_stands_there_now(missing: bool) -> None:
    codec, values, there = made(missing=missing)
    codes_RC = codec.encode(values, there)
    assert len(np.unique(codes_RC[100:])) == 1
    assert codec.decode(codes_RC, uniforms(codec), there).equals(values)
    other = pa.array([None if cell is None else cell.upper() for cell in there.to_pylist()])
    back = codec.decode(codes_RC, uniforms(codec), other)
    assert back.slice(100).equals(other.slice(100))
    assert back.slice(0, 100).equals(values.slice(0, 100))


def test_values_of_few_are_not_told_and_neither_is_who_has_one() -> None:
    codec, values, there = made(own_rows=4)
    assert not codec.own
    assert codec.sub_columns == ()
    codes_RC = codec.encode(values, there)
    assert codes_RC.shape == (ROWS, 0)
    assert codec.decode(codes_RC, uniforms(codec), there).equals(there)
    assert "port" not in json.dumps(codec.to_json())


def test_a_missing_cell_is_not_repeated_where_no_value_is_missing() -> None:
    codec, values, there = made()
    lost = pa.array([None] * ROWS, pa.string())
    back = codec.decode(codec.encode(values, there), uniforms(codec), lost)
    assert set(back.to_pylist()) <= {"port 0", "port 1", "port 2"}


def test_less_is_generated_where_less_is_asked_for() -> None:
    codec, values, there = made(missing=True)
    codes_RC = codec.encode(values, there)
    assert codec.decode(codes_RC, uniforms(codec), there).null_count > 0
    assert without_missing(codec).decode(codes_RC, uniforms(codec), there).null_count == 0
    refused = pa.array(["port 1", "town 800"])
    back = without_values(codec, refused).decode(codes_RC, uniforms(codec), there)
    assert not {*back.to_pylist()} & {"port 1", "town 800"}
    kept_R = ~np.isin(np.array(values.fill_null("")), ["port 1", "town 800"])
    assert back.filter(pa.array(kept_R)).equals(values.filter(pa.array(kept_R)))
    assert own_code(codec, pa.array(["port 0"])) is None


def test_it_is_said_that_nothing_is_left() -> None:
    there = pa.array([f"town {row}" for row in range(6)])
    codec = build_echo(plain(there), there, there, OwnRoots(np.ones(6, dtype=np.int64)), minimum=5)
    for restrict in (without_missing, lambda one: without_values(one, pa.array(["town 1"]))):
        with pytest.raises(SettingsError, match="Nothing is left"):
            restrict(codec)


CELLS = {
    "int8": pa.array([1, None, -3], pa.int8()),
    "int64": pa.array([1, None, 2**40]),
    "uint16": pa.array([1, None, 3], pa.uint16()),
    "float": pa.array([1.5, None, 2.0], pa.float32()),
    "double": pa.array([1.5, None, 2.0]),
    "text": pa.array(["a", None, ""]),
    "large text": pa.array(["a", None, ""], pa.large_string()),
    "flag": pa.array([True, None, False]),
    "date": pa.array([dt.date(2020, 1, 1), None, dt.date(1900, 1, 1)]),
    "moment": pa.array([dt.datetime(2020, 1, 1, 5), None, dt.datetime(1900, 1, 1)]),
    "seconds": pa.array([dt.datetime(2020, 1, 1, 5), None, dt.datetime(1900, 1, 1)], pa.timestamp("s")),
    "zoned": pa.array([None, None, dt.datetime(1900, 1, 1)], pa.timestamp("us", tz="Europe/Rome")),
    "time": pa.array([dt.time(5), None, dt.time(6)]),
    "decimal": pa.array([Decimal("1.50"), None, Decimal("2.00")]),
}
REPEATED_IN = {
    "int8": {"int8", "int64", "float", "double"},
    "int64": {"int64", "double"},
    "uint16": {"uint16", "float", "double"},
    "float": {"float", "double"},
    "double": {"double"},
    "text": {"text", "large text"},
    "large text": {"text", "large text"},
    "date": {"date", "moment", "seconds"},
    "moment": {"date", "moment", "seconds"},
    "seconds": {"date", "moment", "seconds"},
}


@pytest.mark.parametrize("of", CELLS)
def test_cells_are_repeated_in_types_that_hold_them(of: str) -> None:
    allowed = {to for to in CELLS if can_echo(CELLS[of].type, CELLS[to].type)}
    assert allowed == REPEATED_IN.get(of, {of})
    for to in allowed:
        cells = as_type(CELLS[of], CELLS[to].type)
        assert cells.type == CELLS[to].type
        assert cells.is_null().equals(CELLS[of].is_null())
        exact = not {of, to} >= {"date"} or of == to or of == "date"
        assert (not exact) or [*map(str, as_type(cells, CELLS[of].type).to_pylist())] == [
            *map(str, CELLS[of].to_pylist())
        ]


@pytest.mark.parametrize("name", CELLS)
def test_equal_is_what_is_equal_one_by_one(name: str) -> None:
    rng = np.random.default_rng(1)
    left, right = (CELLS[name].take(pa.array(rng.integers(0, 3, 60))) for _ in range(2))
    expected = [one == other for one, other in zip(left.to_pylist(), right.to_pylist(), strict=True)]
    assert are_equal(left, right).tolist() == expected
    left_R, right_R = number_equals(left, right)
    assert (left_R == right_R).tolist() == expected


def test_it_comes_back_from_json_restricted_too() -> None:
    codec, values, there = made(missing=True)
    for one in (codec, without_missing(codec), without_values(codec, pa.array(["port 2"]))):
        again = codec_from_json(json.loads(json.dumps(one.to_json())))
        assert again.to_json() == one.to_json()
        codes_RC = one.encode(values, there)
        assert np.array_equal(again.encode(values, there), codes_RC)
        assert again.decode(codes_RC, uniforms(one), there).equals(one.decode(codes_RC, uniforms(one), there))
