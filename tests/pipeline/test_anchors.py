"""Anchors: what rows know of other rows, read batch by batch, is what walking row by row finds."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinsynth.columns.scale import DayScale, MomentScale
from kinsynth.pipeline.anchors import Anchor, Beside, DrawnReach, Reach, find_ways, owner_ways
from kinsynth.schema.graph import Structure, find_structure
from kinsynth.schema.table import Column, Relation, Schema, Table

DAYS, MOMENTS = DayScale("date32[day]"), MomentScale("timestamp[us]")
DAY_US = 86_400_000_000


def days(ticks: list[int | None]) -> pa.Array:
    return pa.array(ticks, pa.int32()).cast(pa.date32())


def anchor_of(path: tuple[str, ...], measure: DayScale | MomentScale = DAYS, **changes: int) -> Anchor:
    return replace(Anchor("name", path, "top", "day", shared=False, measure=measure), **changes)


@st.composite
def chains(draw: st.DrawFn) -> tuple[list[int | None], list[np.ndarray], list[int]]:
    """Give cells of a last table, which row of the next each row of three tables names, and where to cut."""
    sizes = draw(st.lists(st.integers(0, 12), min_size=4, max_size=4))
    cells = draw(st.lists(st.none() | st.integers(0, 9_999), min_size=sizes[0], max_size=sizes[0]))
    keys = [
        np.array(draw(st.lists(st.integers(-1, above - 1), min_size=here, max_size=here)), dtype=np.int64)
        for above, here in pairwise(sizes)
    ]
    return cells, keys, draw(st.lists(st.integers(0, 12), max_size=3).map(sorted))


@given(chains())
def test_values_are_those_of_walking_row_by_row(
    case: tuple[list[int | None], list[np.ndarray], list[int]],
) -> None:
    cells, keys, cuts = case
    path = tuple(f"key {number}" for number in reversed(range(len(keys))))
    reach = Reach()
    for start, end in zip([0, *cuts], [*cuts, 99], strict=True):
        reach.tell_cells("top", "day", min(start, len(cells)), days(cells[start:end]), kept=True)
        for number, key in enumerate(keys):
            reach.tell_key(f"key {number}", min(start, len(key)), key[start:end], kept=True)

    def walk(row: int) -> int | None:
        for key in reversed(keys):
            row = int(key[row]) if row >= 0 else -1
        return cells[row] if row >= 0 else None

    rows = np.arange(len(keys[-1]), dtype=np.int64)
    expected = days([walk(row) for row in rows.tolist()])
    assert reach.values(anchor_of(path), rows).equals(expected)
    beside = Beside({"own": expected}, [anchor_of(path)], reach, rows)
    assert list(beside) == ["own", "name"]
    assert beside["name"].equals(expected)


def test_what_is_not_kept_is_no_row_and_what_nobody_told_is_an_error() -> None:
    reach = Reach()
    reach.tell_cells("top", "day", 0, days([1, 2]), kept=False)
    reach.tell_cells("top", "day", 2, days([3]), kept=False)
    assert reach.values(anchor_of(()), np.array([0, 1, 2, 3, -1])).equals(days([None, None, 3, None, None]))
    assert not reach.can_read(anchor_of(("key",)))
    with pytest.raises(KeyError):
        reach.values(anchor_of(("key",)), np.array([0]))


@given(st.integers(-5_000, 5_000), st.integers(1, 40), st.integers(0, 39), st.integers(-5_000, 5_000))
def test_rounding_up_changes_no_comparison_with_what_lies_on_the_steps(
    cell: int, step: int, first: int, place: int
) -> None:
    read = anchor_of((), step=step, first=first % step).read(days([cell]))
    bound = read.cast(pa.int32())[0].as_py()
    value = place * step + first % step
    assert (value >= cell) == (value >= bound)


def test_a_date_is_read_as_a_moment_and_a_moment_as_a_date() -> None:
    moment = pa.array([dt.datetime(2020, 1, 2, 13, 30), None], pa.timestamp("ms"))
    assert anchor_of(()).read(moment).to_pylist() == [dt.date(2020, 1, 2), None]
    hourly = anchor_of((), MOMENTS, step=3_600_000_000)
    assert hourly.read(moment).to_pylist() == [dt.datetime(2020, 1, 2, 14), None]
    assert hourly.read(days([1, None])).to_pylist() == [dt.datetime(1970, 1, 2), None]
    assert Anchor.from_json(json.loads(json.dumps(hourly.to_json()))) == hourly


def make_structure(*keys: tuple[str, str]) -> Structure:
    """Give tables a, b, c, ... in which the first key of each leads to its owner."""
    names = sorted({name for pair in keys for name in pair})
    relations = [
        Relation(
            one, (f"to_{other}",), other, ("id",), role="key" if one in {k for k, _ in keys[:n]} else "owner"
        )
        for n, (one, other) in enumerate(keys)
    ]
    tables = {
        name: Table(
            name,
            (
                Column("id", "identifier", "int64", nullable=False),
                Column("day", "date", "date32[day]", nullable=False),
                *(
                    Column(f"to_{other}", "identifier", "int64", nullable=False)
                    for one, other in keys
                    if one == name
                ),
            ),
            ("id",),
        )
        for name in names
    }
    return find_structure(Schema(tables, tuple(relations)))


def test_trees_come_after_those_they_point_to() -> None:
    structure = make_structure(("b", "a"), ("b", "c"))
    assert structure.trees == ("c", "a")
    assert make_structure(("b", "a"), ("d", "c"), ("b", "c"), ("d", "a")).trees == ("a", "c")


def test_ways_lead_up_the_owners_and_into_trees_that_are_drawn_before() -> None:
    structure = make_structure(("b", "a"), ("d", "b"), ("e", "c"), ("d", "e"))

    def ends(table: str, inside: frozenset[Relation] = frozenset()) -> list[str]:
        return [way[-1].references_table for way in find_ways(structure, table, inside)]

    assert structure.trees == ("c", "a")
    assert ends("d") == ["b", "e", "a", "c"]
    assert ends("e") == ["c"]
    assert [len(way) for way in owner_ways(structure, "d")] == [1, 2]
    back = make_structure(("b", "a"), ("c", "a"), ("c", "b"))
    key = back.keys["c"][0]
    assert [one for one, *_ in find_ways(back, "c", frozenset())] == [back.parent_relation["c"]]
    assert [way[-1].references_table for way in find_ways(back, "c", {key})] == ["a", "b", "a"]


def test_only_what_other_trees_read_is_kept_beyond_a_batch() -> None:
    structure = make_structure(("b", "a"), ("d", "b"), ("e", "c"), ("d", "e"))
    ways = {way[-1].references_table: way for way in find_ways(structure, "d", frozenset())}
    anchors = {table: replace(anchor_of(tuple(map(str, way))), table=table) for table, way in ways.items()}
    assert {*anchors} == {"a", "b", "c", "e"}
    reach, row_R = DrawnReach({"d": anchors.values()}, structure), np.arange(2)
    for start in (0, 2):
        for table in ("c", "e", "a", "b"):
            reach.add_cells(table, start, {"day": days([start, start + 1]), "more": days([0, 0])})
    for start in (0, 2):
        for table, owner in (("e", "c"), ("b", "a"), ("d", "b")):
            keys = {structure.parent_relation[table]: row_R + start}
            reach.add_keys(table, start, {**keys, structure.keys["d"][0]: row_R} if table == "d" else keys)
            assert structure.parent_relation[table].references_table == owner
    read = {
        table: reach.values(anchor, row_R + 2).cast(pa.int32()).to_pylist()
        for table, anchor in anchors.items()
    }
    # The last rows of d hang under the last rows of b and a, and point to the first ones of e.
    assert read == {"b": [2, 3], "a": [2, 3], "e": [0, 1], "c": [0, 1]}
    first = {table: reach.values(anchors[table], row_R).is_null().to_pylist() for table in ("b", "a", "e")}
    assert first == {"b": [True, True], "a": [True, True], "e": [True, True]}, (
        "rows of d before are forgotten"
    )
