"""Columns that follow from the rows of lookups that a row points at, alone or with a category."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from rule_toys import KINDS, MINIMUM

from kinsynth.rules.arrange import arrange_rules
from kinsynth.rules.base import Rule
from kinsynth.rules.constant import Constant
from kinsynth.rules.detect import detect_rules
from kinsynth.rules.order import Order
from kinsynth.rules.referenced import Referenced
from kinsynth.rules.registry import rule_from_json
from kinsynth.rules.view import CONSTANT, REFERENCE, View

ROWS = 4_000
PLACES = [f"p{number:02}" for number in range(12)]
HELD = np.arange(ROWS) % 5 == 0
Columns = dict[str, pa.Array]


def travels(seed: int = 0) -> Columns:
    """Travels between places, of which each pair lies so far apart; a few go nowhere."""
    chance = np.random.default_rng(seed)
    start, end = chance.integers(0, 3, ROWS), chance.integers(0, len(PLACES), ROWS)
    apart = np.random.default_rng(99).permutation(36) * 7 + 100
    gone = chance.random(ROWS) < 0.02
    return {
        "start": pa.array([PLACES[one] for one in start]),
        "end": pa.array([PLACES[one] for one in end], mask=gone),
        "class": pa.array(chance.choice(["a", "b"], ROWS)),
        "apart": pa.array(np.where(gone, chance.integers(100, 400, ROWS), apart[start * len(PLACES) + end])),
        "noise": pa.array(chance.integers(0, 50, ROWS)),
    }


def view_of(columns: Columns, kept: np.ndarray | None = None, roots: np.ndarray | None = None) -> View:
    keys = ("start", "end")
    kept = np.ones(ROWS, dtype=bool) if kept is None else kept
    roots = np.arange(ROWS) if roots is None else roots
    kinds = {name: REFERENCE if name in keys else KINDS[str(one.type)] for name, one in columns.items()}
    taken = {name: one.filter(pa.array(kept)) for name, one in columns.items()}
    return View(taken, kinds, roots[kept], MINIMUM, frozenset(keys))


def find(columns: Columns, roots: np.ndarray | None = None, *, kind: str = REFERENCE) -> list[Rule]:
    train, held = (view_of(columns, part, roots) for part in (~HELD, HELD))
    return [one.rule for one in detect_rules(train, held) if one.rule.kind == kind]


def changed(columns: Columns, name: str, rows: np.ndarray, values: list[object]) -> Columns:
    cells = columns[name].to_pylist()
    for row, value in zip(rows.tolist(), values, strict=True):
        cells[row] = value
    return {**columns, name: pa.array(cells, columns[name].type)}


def pair_rows(columns: Columns, start: str, end: str) -> np.ndarray:
    places = zip(columns["start"].to_pylist(), columns["end"].to_pylist(), strict=True)
    return np.array([row for row, place in enumerate(places) if place == (start, end)])


def test_a_column_that_two_references_decide_is_found_and_no_other() -> None:
    (rule,) = find(travels())
    assert rule.columns == ("apart", "start", "end")
    assert (rule.writes, rule.derives) == (("apart",), None)
    again = rule_from_json(json.loads(json.dumps(rule.to_json())))
    assert again.to_json() == rule.to_json()
    assert not again.broken(travels(1)).any()


def test_the_fewest_sources_are_named() -> None:
    columns = travels()
    tax = pa.array([None if one is None else 3 * int(one[1:]) + 1 for one in columns["end"].to_pylist()])
    assert ("tax", "end") in {rule.columns for rule in find({**columns, "tax": tax})}
    fare = [
        None if one is None else 10 * int(one[1:]) + len(two) * ord(two)
        for one, two in zip(columns["end"].to_pylist(), columns["class"].to_pylist(), strict=True)
    ]
    found = {rule.columns for rule in find({**columns, "fare": pa.array(fare)})}
    assert ("fare", "end", "class") in found
    assert sum(names[0] == "fare" for names in found) == 1


def test_drawn_rows_of_told_places_keep_the_rule_and_others_stay() -> None:
    (rule,) = find(travels())
    drawn = {**travels(1), "apart": pa.array(np.full(ROWS, 7))}
    gone = drawn["end"].is_null().to_numpy(zero_copy_only=False)
    made = drawn | rule.apply(drawn, np.zeros((ROWS, 1)), {})
    assert not rule.broken(made).any()
    assert made["apart"].filter(pa.array(~gone)).equals(travels(1)["apart"].filter(pa.array(~gone)))
    assert set(made["apart"].filter(pa.array(gone)).to_pylist()) == {7}
    assert rule.broken(drawn).sum() == (~gone).sum()


@pytest.mark.parametrize("rows", [MINIMUM - 1, MINIMUM])
def test_what_fewer_roots_hold_is_not_told(rows: int) -> None:
    columns = travels()
    there = np.setdiff1d(pair_rows(columns, "p01", "p01"), np.flatnonzero(HELD))
    away = np.concatenate(
        [there[rows:], pair_rows(columns, "p01", "p01")[HELD[pair_rows(columns, "p01", "p01")]]]
    )
    columns = changed(columns, "end", away, [None] * len(away))
    columns = changed(columns, "apart", there[:rows], [98_765] * rows)
    (rule,) = find(columns)
    assert ("98765" in json.dumps(rule.to_json())) == (rows == MINIMUM)
    drawn = {**columns, "apart": pa.array(np.full(ROWS, 7))}
    made = rule.apply(drawn, np.zeros((ROWS, 1)), {})["apart"].take(pa.array(there[:rows]))
    assert set(made.to_pylist()) == ({98_765} if rows == MINIMUM else {7})


def test_roots_are_counted_not_rows() -> None:
    columns = travels()
    roots = np.arange(ROWS)
    roots[pair_rows(columns, "p01", "p01")] = 0  # one person's travels
    columns = changed(
        columns, "apart", pair_rows(columns, "p01", "p01"), [98_765] * len(pair_rows(columns, "p01", "p01"))
    )
    (rule,) = find(columns, roots)
    assert "98765" not in json.dumps(rule.to_json())


def test_a_place_with_several_values_is_left_as_it_is_drawn() -> None:
    columns = travels()
    there = pair_rows(columns, "p00", "p02")
    columns = changed(columns, "apart", there[::2], [3] * len(there[::2]))
    (rule,) = find(columns)
    drawn = {**columns, "apart": pa.array(np.full(ROWS, 7))}
    assert set(rule.apply(drawn, np.zeros((ROWS, 1)), {})["apart"].take(pa.array(there)).to_pylist()) == {7}
    assert not rule.broken(columns).any()


def test_a_row_set_aside_that_breaks_it_is_enough() -> None:
    columns = travels()
    there = pair_rows(columns, "p00", "p02")
    assert find(changed(columns, "apart", there[HELD[there]][:1], [3])) == []


@pytest.mark.parametrize("seed", range(5))
def test_independent_columns_follow_from_nothing(seed: int) -> None:
    columns, order = travels(seed), np.random.default_rng(seed).permutation(ROWS)
    assert find({**columns, "apart": columns["apart"].take(pa.array(order))}) == []
    rare = pa.array(np.random.default_rng(seed).random(ROWS) < 0.002)
    assert find({**columns, "apart": rare}) == []


def test_it_needs_a_reference() -> None:
    columns = travels()
    view = view_of({**columns, "again": columns["class"]})
    assert Referenced.fit(view, ("again", "class")) is None
    assert (
        Referenced.fit(
            replace(view, columns={name: one[:0] for name, one in columns.items()}, root_R=np.zeros(0, int)),
            ("apart", "start"),
        )
        is None
    )


def test_rows_that_break_it_are_counted() -> None:
    columns = travels()
    there = pair_rows(columns, "p00", "p02")
    columns = changed(columns, "apart", there[:3], [3] * 3)
    assert Referenced.count_breaking(view_of(columns), ("apart", "start", "end")) == 3


def test_places_that_hardly_repeat_are_not_looked_at() -> None:
    columns = travels()
    alone = pa.array([f"q{row}" for row in range(ROWS // 2)] * 2)
    view = view_of({**columns, "again": alone})
    view = replace(view, kinds={**view.kinds, "again": REFERENCE})
    assert ("apart", "start", "end") in set(Referenced.find(view))
    assert not [found for found in Referenced.find(view) if "again" in found[1:]]


def numbered_travels(*ends: str, seed: int = 0) -> Columns:
    """Travels with a number: any to most places, always the same one to some."""
    columns, chance = travels(seed), np.random.default_rng(seed + 50)
    number = chance.integers(0, 5_000, ROWS)
    for place, end in enumerate(ends):
        number = np.where(np.array(columns["end"].to_pylist()) == end, 7_000 + place, number)
    return {**columns, "number": pa.array(number)}


def test_a_column_that_some_rows_decide_is_written_there_alone() -> None:
    columns = numbered_travels("p03", "p07")
    (rule,) = find(columns, kind=CONSTANT)
    assert rule.columns == ("number", "end")
    again = rule_from_json(json.loads(json.dumps(rule.to_json())))
    assert isinstance(again, Constant)
    assert again.to_json() == rule.to_json()
    drawn = {**columns, "number": pa.array(np.full(ROWS, 7))}
    made = rule.apply(drawn, np.zeros((ROWS, 1)), {})["number"].to_pylist()
    wanted = {"p03": 7_000, "p07": 7_001}
    assert made == [wanted.get(end, 7) for end in columns["end"].to_pylist()]
    assert rule.broken(drawn).tolist() == [end in wanted for end in columns["end"].to_pylist()]
    assert not again.broken(columns).any()


@pytest.mark.parametrize("rows", [MINIMUM - 1, MINIMUM])
def test_one_value_of_few_roots_is_not_told(rows: int) -> None:
    columns, named = numbered_travels(), np.array(travels()["end"].to_pylist()) == "p03"
    there = np.flatnonzero(named & ~HELD)[:rows]
    away = np.setdiff1d(np.flatnonzero(named), there)
    columns = changed(changed(columns, "end", away, [None] * len(away)), "number", there, [98_765] * rows)
    assert len(find(columns, kind=CONSTANT)) == (rows == MINIMUM)
    one_person = np.arange(ROWS)
    one_person[there] = 0
    assert find(columns, one_person, kind=CONSTANT) == []


def test_one_value_that_chance_may_explain_is_not_told() -> None:
    """Of many places with few rows some agree on a frequent value; on a rare one none does."""
    columns, chance = travels(), np.random.default_rng(5)
    ends = pa.array([f"q{number}" for number in chance.integers(0, 500, ROWS)])
    flag = pa.array(chance.random(ROWS) < 0.7)
    view = view_of({**columns, "end": ends, "flag": flag})
    agree = {*ends.to_pylist()} - {
        end for end, one in zip(ends.to_pylist(), flag.to_pylist(), strict=True) if not one
    }
    assert len(agree) > 10
    assert Constant.fit(view, ("flag", "end")) is None
    assert ("flag", "end") not in set(Constant.find(view))


def test_a_row_set_aside_with_another_value_is_enough() -> None:
    columns = numbered_travels("p03")
    there = np.flatnonzero((np.array(columns["end"].to_pylist()) == "p03") & HELD)
    assert find(changed(columns, "number", there[:1], [3]), kind=CONSTANT) == []


def test_what_holds_in_some_rows_gives_way_to_what_holds_in_all() -> None:
    columns = numbered_travels("p03")
    view = view_of({**columns, "more": pa.array(np.array(columns["number"].to_pylist()) + 5)})
    constant, order = Constant.fit(view, ("number", "end")), Order.fit(view, ("number", "more"))
    assert constant is not None
    assert order is not None
    assert arrange_rules((constant, order)) == ((order,), (constant,))


@pytest.mark.parametrize("seed", range(3))
def test_independent_columns_are_constant_nowhere(seed: int) -> None:
    assert find(travels(seed), kind=CONSTANT) == []
